/* SPDX-License-Identifier: MIT
 * One layer of a model as a graph of its own. */
#pragma once
#include "graph/layers.h"

/* Layer @i of @model on an input of the shape that it reads there. A group norm takes along the sum and the
 * activation that follow it, because backends run them as one; the sum's other side is the input then, of the same
 * shape. NULL without an error where @i is no operation by itself (the input, or part of another one). (transfer
 * full) */
DpcxrGraph *dpcxr_bench_op_graph(const DpcxrGraph *model, int i, GError **error);
