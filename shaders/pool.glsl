// SPDX-License-Identifier: MIT
// Pools: x [rows, H, W, C], y [rows, OH, OW, C].
layout(constant_id = 1) const int H = 1;
layout(constant_id = 2) const int W = 1;
layout(constant_id = 3) const int C = 1;
layout(constant_id = 4) const int OH = 1;
layout(constant_id = 5) const int OW = 1;
layout(constant_id = 6) const int KERNEL = 1;
layout(constant_id = 7) const int STRIDE = 1;
layout(constant_id = 8) const int PADDING = 0;
