// SPDX-License-Identifier: MIT
// What every shader has: NaN and infinity are kept (a spoilt image must show), push constants, and one number for each
// invocation, whatever the shape of the dispatch.
#extension GL_EXT_control_flow_attributes : require
#extension GL_EXT_spirv_intrinsics : require
#extension GL_GOOGLE_include_directive : require
spirv_execution_mode(capabilities = [4466], 4461, 32); // SignedZeroInfNanPreserve of 32-bit floats

// What feature maps and their gradients are stored in. Arithmetic is f32: a product of two stored values has to widen one first.
#ifdef HALF
#extension GL_EXT_shader_16bit_storage : require
#extension GL_EXT_shader_explicit_arithmetic_types_float16 : require
#define stored float16_t
#else
#define stored float
#endif

#include "shared/batch.h"
#include "shared/push.h"

layout(local_size_x_id = 0) in;
layout(push_constant) uniform PushConstants { Push push; };

const int NOTHING = -2147483647 - 1;

// Groups are numbered along x, then y: one axis alone may end at 65535.
int group_id() { return int(gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x); }
int invocation_id() { return group_id() * int(gl_WorkGroupSize.x) + int(gl_LocalInvocationIndex); }
