/* SPDX-License-Identifier: MIT
 * One optimizer step, as core/backend/program.h has it in DpcxrUpdate, rounded to f32; seen by C and by GLSL. */
struct Rule {
    int adaptive, momentum_on, nesterov, first, noise_on, average_on;
    float scale, weight_decay, lr, momentum, undamped; /* 1 - dampening */
    float kept;                                        /* 1 - decay */
    float beta1, new1, beta2, new2;                    /* new: 1 - beta */
    float gradient_rate, moment_rate, v_root, eps, average_rate;
    int unused;
};
