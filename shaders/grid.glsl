// SPDX-License-Identifier: MIT
// One element of a unit on the grid, as core/backend/grid.h has it: rounded toward zero; below 2^52, or the unit is dropped.
#extension GL_EXT_shader_explicit_arithmetic_types_int64 : require
layout(set = 0, binding = 2) readonly buffer Coefficients { double coefficients[]; }; // [groups, units], times the scale

// Of the f32 value: only those keep NaN and infinity for certain (common.glsl).
bool is_finite(float value) { return !isnan(value) && !isinf(value); }
bool on_grid(double v) { return v < 4503599627370496.0lf && v > -4503599627370496.0lf; }
