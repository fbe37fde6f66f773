// SPDX-License-Identifier: MIT
// The geometry of a convolution, as constants of the pipeline: x [rows, H, W, C], y [rows, OH, OW, O], weights
// [tap, C, O]. A linear layer is one with a 1 x 1 kernel on one pixel.
#ifdef GEMM_SUBGROUP
#extension GL_KHR_shader_subgroup_ballot : require
#endif
#ifdef GEMM_MATRIX
#extension GL_KHR_memory_scope_semantics : require
#extension GL_KHR_shader_subgroup_basic : require
#extension GL_NV_cooperative_matrix : require
#endif
layout(constant_id = 6) const int H = 1;
layout(constant_id = 7) const int W = 1;
layout(constant_id = 8) const int C = 1;
layout(constant_id = 9) const int OH = 1;
layout(constant_id = 10) const int OW = 1;
layout(constant_id = 11) const int O = 1;
layout(constant_id = 12) const int KERNEL = 1;
layout(constant_id = 13) const int STRIDE = 1;
layout(constant_id = 14) const int PADDING = 0;
layout(constant_id = 15) const int OPTION = 0; // of a shader: bias; parts of an image

const int TAPS = KERNEL * KERNEL;
