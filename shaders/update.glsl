// SPDX-License-Identifier: MIT
// A parameter in the device's layout [taps, in, out], and where the same element is in PyTorch's [out, in, taps].
layout(constant_id = 1) const int TAPS = 1;
layout(constant_id = 2) const int IN = 1;
layout(constant_id = 3) const int OUT = 1;

const int SIZE = TAPS * IN * OUT;

int pytorch_place(int e) { return (e % OUT * IN + e / OUT % IN) * TAPS + e / OUT / IN; }
