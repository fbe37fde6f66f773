/* SPDX-License-Identifier: MIT
 * Guards on what a private step costs. No seconds: allocations and bytes are exact, processor time is held against that of the
 * same step without privacy in the same process, the least of several repeats on both sides, with room for a busy machine. */
#include "bench/resnet9.h"
#include "bench/side.h"
#include "count-allocations.h"
#include <dlfcn.h>
#include <string.h>
#include <time.h>

enum { SIZE = 64, BATCH = 32 };

static BenchSide open_side(const DpcxrGraph *graph, gboolean private, gboolean grid, int threads)
{
    g_autoptr(GError) error = NULL;
    BenchSideOptions options = {.batch = BATCH,
                                .logical = BATCH,
                                .threads = threads,
                                .backend = "cpu",
                                .private = private,
                                .grid = grid,
                                .clip = DPCXR_CLIP_FLAT};
    BenchSide side = {0};
    dpcxr_bench_side_open(&side, &options, graph, &error);
    g_assert_no_error(error);
    return side;
}

static void step(BenchSide *side)
{
    g_autoptr(GError) error = NULL;
    dpcxr_bench_side_step(side, DPCXR_CLIP_FLAT, &error);
    g_assert_no_error(error);
}

static DpcxrGraph *network(int size)
{
    g_autoptr(GError) error = NULL;
    DpcxrGraph *graph = dpcxr_bench_resnet9(size, &error);
    g_assert_no_error(error);
    return graph;
}

/* --- Allocations --- */

/* Whose code an address is in: the path of its library. */
static const char *library_of(gconstpointer address)
{
    Dl_info info;
    return dladdr(address, &info) && info.dli_fname ? info.dli_fname : "";
}

/* The first step allocates what is allocated on first use; the second one, pieces and all, must not. What oneDNN takes from the
 * heap for the arguments of each primitive (operator new, so libstdc++ calls) its interface leaves no way around; everything
 * else counts: GLib's, OpenBLAS's, the C library's, and what libdpcxr asks for itself. */
static void test_allocations(gconstpointer data)
{
    if (!allocations_are_counted()) {
        g_test_skip("a sanitizer has the allocator");
        return;
    }
    g_autoptr(DpcxrGraph) graph = network(SIZE);
    BenchSide side = open_side(graph, TRUE, GPOINTER_TO_INT(data), 2);
    side.logical = 2 * BATCH + 1;
    allocations_forget();
    step(&side);
    guint n, first = allocations_since(), others = 0;
    allocations_callers(&n);
    g_assert_cmpuint(n, >, 0); /* it does count */
    allocations_forget();
    step(&side);
    guint all = allocations_since();
    gpointer *callers = allocations_callers(&n);
    for (guint i = 0; i < n; i++)
        if (!strstr(library_of(callers[i]), "libstdc++") && !strstr(library_of(callers[i]), "libdnnl")) {
            others++;
            g_test_message("allocates: %s", library_of(callers[i]));
        }
    g_test_message("%u allocations in the first step, %u in the next, from %u places", first, all, n);
    g_assert_cmpuint(n, <, MAX_CALLERS);
    g_assert_cmpuint(others, ==, 0);
    dpcxr_bench_side_clear(&side);
}

/* --- Processor time --- */

static double processor_time(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* The second of two steps: the first finds the caches full of the other side's data. */
static double cost_of_step(BenchSide *side)
{
    step(side);
    double start = processor_time();
    step(side);
    return processor_time() - start;
}

/* Measured: 1.4 (32 images of 64 pixels, one thread). Unit gradients formed outright everywhere give 3 and more. */
static void test_processor_time(void)
{
    static const double limit = 2;
    g_autoptr(DpcxrGraph) graph = network(SIZE);
    BenchSide private = open_side(graph, TRUE, FALSE, 1), plain = open_side(graph, FALSE, FALSE, 1);
    double with = G_MAXDOUBLE, without = G_MAXDOUBLE;
    for (int repeat = 0; repeat < 7; repeat++) {
        with = MIN(with, cost_of_step(&private));
        without = MIN(without, cost_of_step(&plain));
    }
    g_test_message("a private step takes %.2f of the processor time of one without privacy", with / without);
    if (allocations_are_counted()) /* a sanitizer's own cost is not the same on both sides */
        g_assert_cmpfloat(with, <, limit * without);
    dpcxr_bench_side_clear(&private);
    dpcxr_bench_side_clear(&plain);
}

/* Nobody spins: a program that waits, its workers just woken, costs nothing. */
static void test_idle(void)
{
    g_autoptr(DpcxrGraph) graph = network(32);
    BenchSide side = open_side(graph, TRUE, FALSE, 4);
    step(&side);
    double start = processor_time();
    g_usleep(200000);
    double share = (processor_time() - start) / 0.2;
    g_test_message("idle: %.4f of a processor", share);
    g_assert_cmpfloat(share, <, 0.1);
    dpcxr_bench_side_clear(&side);
}

/* --- Memory --- */

/* Bytes that a further image in a physical batch costs: x and dy of Gram layers, slots for the rest. */
static double bytes_of_image(const DpcxrGraph *graph, gboolean grid)
{
    gsize bytes[2];
    for (int i = 0; i < 2; i++) {
        g_autoptr(GError) error = NULL;
        DpcxrProgramOptions options = {
            .max_rows = 2 + 8 * i, .max_units = 2 + 8 * i, .threads = 1, .training = TRUE, .norms = TRUE, .grid = grid};
        g_autoptr(DpcxrProgram) program = dpcxr_program_new(dpcxr_backend_find("cpu", NULL), graph, &options, &error);
        g_assert_no_error(error);
        bytes[i] = dpcxr_program_memory(program);
    }
    return ((double)bytes[1] - (double)bytes[0]) / 8;
}

/* Exact, so the room is for changes that are worth it. A whole gradient of each unit would be as much as the model. */
static void test_memory(void)
{
    g_autoptr(DpcxrGraph) graph = network(SIZE);
    double gradient = (double)dpcxr_graph_parameter_count(graph) * sizeof(float), image = bytes_of_image(graph, FALSE);
    g_test_message("a further image takes %.3f MB, a whole gradient %.3f MB", image / 1e6, gradient / 1e6);
    g_assert_cmpfloat(image, <, 0.06 * gradient);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_data_func("/cost/allocations/gaussian", GINT_TO_POINTER(FALSE), test_allocations);
    g_test_add_data_func("/cost/allocations/grid", GINT_TO_POINTER(TRUE), test_allocations);
    g_test_add_func("/cost/processor-time", test_processor_time);
    g_test_add_func("/cost/idle", test_idle);
    g_test_add_func("/cost/memory", test_memory);
    return g_test_run();
}
