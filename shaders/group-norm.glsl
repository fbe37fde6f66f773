// SPDX-License-Identifier: MIT
// Group normalisation of x [rows, POSITIONS, C]. Sums over positions are made of parts of CHUNK positions: an invocation has
// one channel of one chunk, so neighbours read neighbours.
layout(constant_id = 1) const int POSITIONS = 1;
layout(constant_id = 2) const int C = 1;
layout(constant_id = 3) const int GROUPS = 1;
layout(constant_id = 4) const int CHUNK = 1;
layout(constant_id = 5) const float EPS = 1e-5;
layout(constant_id = 6) const int ACTIVATION = 0;
layout(constant_id = 7) const int RESIDUAL = 0; // a second tensor is added before the activation
layout(constant_id = 8) const int WANTS_OTHER = 0; // its gradient: 1 written, 2 added to

const int WIDTH = C / GROUPS;
const int CHUNKS = (POSITIONS + CHUNK - 1) / CHUNK;
