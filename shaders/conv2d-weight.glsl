// SPDX-License-Identifier: MIT
// What both gradients of a convolution's weights share: row m of the result is a tap and an input channel, column n an output
// channel, and a segment is one row of output positions of one image.
layout(set = 0, binding = 1) readonly buffer X { stored x[]; };
layout(set = 0, binding = 2) readonly buffer DY { stored dy[]; };

const int LENGTH = OW;
const bool A_ALONG_K = false, B_ALONG_K = false;

// The channel, and the tap's place in the window.
ivec3 a_row(int m)
{
    int tap = m / C;
    return m < TAPS * C ? ivec3(m % C, tap / KERNEL - PADDING, tap % KERNEL - PADDING) : ivec3(0, NOTHING / 2, 0);
}

int a_base(ivec3 row, int segment)
{
    int image = segment / OH, r = segment % OH * STRIDE + row.y;
    return r >= 0 && r < H ? ((image * H + r) * W + row.z) * C + row.x : NOTHING;
}

float a_load(ivec3 row, int base, int k)
{
    int s = k * STRIDE + row.z;
    return s >= 0 && s < W ? float(x[base + k * STRIDE * C]) : 0;
}

int b_base(int segment, int n) { return n < O ? segment * OW * O + n : NOTHING; }
float b_load(int base, int k) { return dy[base + k * O]; }
