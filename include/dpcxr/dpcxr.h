/* SPDX-License-Identifier: MIT
 * Everything a plugin may use. */
#pragma once
#include <dpcxr/accountant.h>
#include <dpcxr/augmentation.h>
#include <dpcxr/dataset.h>
#include <dpcxr/error.h>
#include <dpcxr/gaussian-curve.h>
#include <dpcxr/graph.h>
#include <dpcxr/image.h>
#include <dpcxr/loss.h>
#include <dpcxr/model.h>
#include <dpcxr/options.h>
#include <dpcxr/plugin.h>
#include <dpcxr/random.h>
#include <dpcxr/sampling.h>
