/* SPDX-License-Identifier: MIT
 * The cpu backend's program: compiled, allocated, freed. */
#include "backend/cpu/cpu.h"
#include "backend/cpu/internal.h"
#include <cblas.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* Large arrays lie on huge pages where the system grants them: late layers stream megabytes of weights for
 * each image, and with small pages the address translation is what they wait for. */
static int allocate(gpointer *memory, gsize bytes)
{
    enum { HUGE_PAGE = 2 << 20 };
    gboolean large = bytes >= HUGE_PAGE;
    int failed = posix_memalign(memory, large ? HUGE_PAGE : 64, bytes);
    if (!failed && large)
        madvise(*memory, bytes, MADV_HUGEPAGE);
    return failed;
}

gboolean dpcxr_cpu_allocate(CpuProgram *program, gpointer pointer, gsize n, gsize size, const char *what,
                            GError **error)
{
    gsize bytes;
    gpointer memory = NULL;
    *(gpointer *)pointer = NULL;
    if (n == 0)
        return TRUE;
    if (!g_size_checked_mul(&bytes, n, size) || allocate(&memory, bytes) != 0) {
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_MEMORY,
                    "not enough memory for %s (%zu x %zu bytes); use a smaller train.batch.physical or "
                    "smaller images",
                    what, n, size);
        return FALSE;
    }
    *(gpointer *)pointer = memory;
    program->bytes += bytes;
    return TRUE;
}

gboolean dpcxr_cpu_run(CpuProgram *program, int n, DpcxrTask task, gpointer data, GError **error)
{
    gboolean good = TRUE;
    dpcxr_workers_run(program->pool, n, task, data);
    for (int t = 0; t < program->threads; t++) {
        GError *mine = g_steal_pointer(&program->workers[t].error);
        if (mine && good)
            g_propagate_error(error, mine);
        else
            g_clear_error(&mine);
        good = good && !mine;
    }
    return good;
}

gboolean dpcxr_cpu_is_packed(const CpuProgram *program, int i)
{
    const CpuGradient *gradient = &program->plan.gradients[i];
    return gradient->method == CPU_DIRECT && program->convs[gradient->step] &&
           dpcxr_graph_parameter(program->base.graph, i)->n_dims == 4;
}

/* --- Workers --- */

/* The most that any step wants of a worker. */
typedef struct {
    gsize spare, gathered, wide, gram, outright, pointers, sums, turned, tile;
} Needs;

static Needs worker_needs(const CpuProgram *program)
{
    const CpuPlan *plan = &program->plan;
    Needs needs = {.spare = plan->largest / sizeof(float) + 1};
    for (int i = 0; i < dpcxr_graph_n_layers(plan->graph); i++)
        needs.sums = MAX(needs.sums, 2 * (gsize)dpcxr_graph_layer(plan->graph, i)->shape.channels);
    needs.gram = needs.sums;
    for (int s = 0; s < plan->n_steps; s++)
        if (plan->steps[s].type == DPCXR_LAYER_LINEAR)
            needs.wide = MAX(needs.wide, (gsize)plan->windows[s]->in.channels);
    for (int i = 0; i < program->base.n_parameters; i++) {
        const CpuGradient *gradient = &plan->gradients[i];
        const CpuWindow *window = plan->windows[gradient->step];
        if (gradient->method == CPU_DIRECT) {
            needs.spare = MAX(needs.spare, gradient->size);
            continue;
        }
        gsize in = (gsize)window->in.channels, out = (gsize)window->out.channels;
        needs.gathered = MAX(needs.gathered, CPU_PRODUCT_ROWS * (in + out));
        needs.turned = MAX(needs.turned, MAX(65536, (gsize)window->n_taps * in));
        if (program->base.options.grid)
            needs.tile = MAX(needs.tile, CPU_GRID_OUTPUTS * in);
        if (!program->base.options.norms)
            continue;
        needs.gram = MAX(needs.gram, dpcxr_cpu_gram_scratch(window));
        if (program->base.options.precision == DPCXR_PRECISION_BF16)
            needs.wide = MAX(needs.wide, dpcxr_cpu_gram_wide(window));
        needs.outright = MAX(needs.outright, gradient->size);
        needs.pointers = MAX(needs.pointers, 2 * (gsize)MAX(window->max_members, window->positions));
    }
    return needs;
}

/* Full of NaN: what a primitive reads before it has written shows in the start-up check. */
static gboolean allocate_scratchpad(CpuProgram *program, CpuWorker *worker, GError **error)
{
    if (!dpcxr_cpu_allocate(program, &worker->scratchpad, program->scratchpad, 1, "oneDNN", error))
        return FALSE;
    if (worker->scratchpad)
        memset(worker->scratchpad, 0xff, program->scratchpad);
    return TRUE;
}

static gboolean worker_init(CpuProgram *program, CpuWorker *worker, const Needs *needs, GError **error)
{
    const CpuPlan *plan = &program->plan;
    gboolean training = program->base.options.training;
    if (!dpcxr_cpu_allocate(program, &worker->scratch, MAX(plan->training.scratch, plan->inference.scratch),
                            (gsize)plan->block, "activations", error) ||
        !dpcxr_cpu_allocate(program, &worker->wide, needs->wide, sizeof(float), "activations", error) ||
        !dpcxr_cpu_allocate(program, &worker->output_gradient, (gsize)program->base.n_outputs, sizeof(float),
                            "a gradient", error) ||
        !dpcxr_cpu_allocate(program, &worker->sums, needs->sums, sizeof(double), "sums", error) ||
        !allocate_scratchpad(program, worker, error))
        return FALSE;
    if (training &&
        (!dpcxr_cpu_allocate(program, &worker->spare, needs->spare, sizeof(float), "a gradient", error) ||
         !dpcxr_cpu_allocate(program, &worker->gathered, needs->gathered, sizeof(float), "rows", error) ||
         !dpcxr_cpu_allocate(program, &worker->gram, needs->gram, sizeof(float), "Gram matrices", error) ||
         !dpcxr_cpu_allocate(program, &worker->outright, needs->outright, sizeof(float), "a gradient",
                             error) ||
         !dpcxr_cpu_allocate(program, &worker->tile, needs->tile, sizeof(float), "a gradient", error) ||
         !dpcxr_cpu_allocate(program, &worker->turned, needs->turned, sizeof(float), "a gradient", error) ||
         !dpcxr_cpu_allocate(program, &worker->pointers, needs->pointers, sizeof(float *), "rows", error)))
        return FALSE;
    worker->written = g_new0(gboolean, plan->block * dpcxr_graph_n_layers(plan->graph));
    worker->convs = g_new0(CpuConvCalls *, MAX(plan->n_steps, 1));
    if (!dpcxr_onednn_check(dnnl_stream_create(&worker->stream, program->engine, dnnl_stream_default_flags),
                            "stream", error))
        return FALSE;
    for (int s = 0; s < plan->n_steps; s++)
        if (program->convs[s] && !(worker->convs[s] = dpcxr_cpu_conv2d_calls_new(program, worker, s, error)))
            return FALSE;
    return TRUE;
}

static void worker_clear(const CpuProgram *program, CpuWorker *worker)
{
    for (int s = 0; worker->convs && s < program->plan.n_steps; s++)
        dpcxr_cpu_conv2d_calls_free(worker->convs[s]);
    g_free(worker->convs);
    g_free(worker->written);
    if (worker->stream)
        dnnl_stream_destroy(worker->stream);
    free(worker->scratch);
    free(worker->spare);
    free(worker->wide);
    free(worker->output_gradient);
    free(worker->gathered);
    free(worker->gram);
    free(worker->outright);
    free(worker->tile);
    free(worker->turned);
    free(worker->pointers);
    free(worker->sums);
    free(worker->scratchpad);
}

/* --- Program --- */

static gsize program_memory(const DpcxrProgram *base)
{
    const CpuProgram *program = (const CpuProgram *)base;
    return program->bytes + dpcxr_banks_bytes(&program->banks);
}

static void program_free(DpcxrProgram *base)
{
    CpuProgram *program = (CpuProgram *)base;
    for (int t = 0; program->workers && t < program->threads; t++)
        worker_clear(program, &program->workers[t]);
    g_free(program->workers);
    dpcxr_cpu_grid_free(program);
    for (int s = 0; program->convs && s < program->plan.n_steps; s++)
        dpcxr_cpu_conv2d_free(program->convs[s]);
    g_free(program->convs);
    if (program->engine)
        dnnl_engine_destroy(program->engine);
    for (int bank = 0; bank < DPCXR_N_BANKS; bank++)
        free(program->sums[bank]);
    free(program->kept);
    free(program->slots);
    free(program->unpacked);
    g_free(program->unit_offsets);
    g_free(program->groups);
    dpcxr_banks_clear(&program->banks);
    dpcxr_cpu_plan_clear(&program->plan);
    dpcxr_workers_free(program->pool);
    g_free(program);
}

static gboolean compile_convs(CpuProgram *program, GError **error)
{
    const CpuPlan *plan = &program->plan;
    program->convs = g_new0(CpuConv *, MAX(plan->n_steps, 1));
    if (!dpcxr_onednn_check(dnnl_engine_create(&program->engine, dnnl_cpu, 0), "engine", error))
        return FALSE;
    for (int s = 0; s < plan->n_steps; s++)
        if (plan->steps[s].type == DPCXR_LAYER_CONV2D && !dpcxr_cpu_conv2d_compile(program, s, error))
            return FALSE;
    return TRUE;
}

static gboolean allocate_training(CpuProgram *program, GError **error)
{
    const CpuPlan *plan = &program->plan;
    const DpcxrProgramOptions *options = &program->base.options;
    gsize kept, slots;
    program->unit_offsets = g_new0(int, options->max_units + 1);
    program->groups = g_new0(int, options->max_units + 1);
    if (!g_size_checked_mul(&kept, plan->training.kept, (gsize)options->max_rows) ||
        !g_size_checked_mul(&slots, plan->slot, (gsize)options->max_units))
        kept = slots = G_MAXSIZE / 2;
    return dpcxr_cpu_allocate(program, &program->kept, kept, 1, "activations", error) &&
           dpcxr_cpu_allocate(program, &program->slots, slots, sizeof(float), "gradients", error) &&
           dpcxr_cpu_allocate(program, &program->unpacked, plan->slot, sizeof(float), "gradients", error) &&
           dpcxr_cpu_sums_need(program, DPCXR_BANK_SUM, error);
}

static gboolean allocate_workers(CpuProgram *program, GError **error)
{
    Needs needs = worker_needs(program);
    program->workers = g_new0(CpuWorker, program->threads);
    for (int t = 0; t < program->threads; t++)
        if (!worker_init(program, &program->workers[t], &needs, error))
            return FALSE;
    return TRUE;
}

static gboolean build(CpuProgram *program, CpuPolicy policy, GError **error)
{
    const DpcxrProgramOptions *options = &program->base.options;
    return dpcxr_cpu_plan_init(&program->plan, program->base.graph, options, policy, error) &&
           dpcxr_banks_need(&program->banks, DPCXR_BANK_WEIGHT, error) && compile_convs(program, error) &&
           dpcxr_cpu_plan_place(&program->plan, options, program->threads, error) &&
           (!options->training || allocate_training(program, error)) && allocate_workers(program, error) &&
           (!options->grid || dpcxr_cpu_grid_allocate(program, error));
}

/* oneDNN computes with bf16 on processors without it as well, in more time than f32 takes. */
gboolean dpcxr_cpu_has_bf16(void)
{
    return dpcxr_cpu_kernels_bf16() && dpcxr_onednn_has_bf16();
}

static gboolean refuse_fp16(const DpcxrProgramOptions *options, GError **error)
{
    if (options->precision != DPCXR_PRECISION_FP16)
        return TRUE;
    g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_USAGE,
                "device.precision: the cpu backend computes in fp32 or bf16; fp16 is for device.type: vulkan");
    return FALSE;
}

static gboolean need_bf16(GError **error)
{
    if (dpcxr_cpu_has_bf16())
        return TRUE;
    g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_USAGE,
                "device.precision: bf16 needs a processor with AVX-512 and its BF16 instructions, which this "
                "one has not, or which DPCXR_MAX_CPU_ISA or ONEDNN_MAX_CPU_ISA forbids; use fp32");
    return FALSE;
}

static DpcxrProgram *compile(const DpcxrGraph *graph, const DpcxrProgramOptions *options, CpuPolicy policy,
                             GError **error)
{
    static const DpcxrProgramClass class = {.free = program_free,
                                            .write = dpcxr_cpu_write,
                                            .read = dpcxr_cpu_read,
                                            .zero = dpcxr_cpu_zero,
                                            .forward = dpcxr_cpu_forward,
                                            .phase_a = dpcxr_cpu_phase_a,
                                            .phase_b = dpcxr_cpu_phase_b,
                                            .bank_norms = dpcxr_cpu_bank_norms,
                                            .fold = dpcxr_cpu_fold,
                                            .update = dpcxr_cpu_update,
                                            .memory = program_memory,
                                            .phase_b_grid = dpcxr_cpu_phase_b_grid,
                                            .read_grid = dpcxr_cpu_read_grid,
                                            .settle = dpcxr_cpu_settle};
    gboolean bf16 = options->precision == DPCXR_PRECISION_BF16;
    if ((bf16 && !need_bf16(error)) || !refuse_fp16(options, error))
        return NULL;
    DpcxrWorkers *pool = dpcxr_workers_new(options->threads, error);
    if (!pool)
        return NULL;
    openblas_set_num_threads(1);
    CpuProgram *program = g_new0(CpuProgram, 1);
    program->base = (DpcxrProgram){.class = &class,
                                   .graph = graph,
                                   .options = *options,
                                   .n_parameters = dpcxr_graph_n_parameters(graph)};
    program->base.n_outputs = (int)dpcxr_shape_size(dpcxr_graph_layer(graph, graph->output)->shape);
    program->kernels = program->tables[CPU_F32] = dpcxr_cpu_kernels();
    program->tables[CPU_BF16] = bf16 ? dpcxr_cpu_kernels_bf16() : NULL;
    program->pool = pool;
    program->threads = dpcxr_workers_threads(program->pool);
    dpcxr_banks_init(&program->banks, graph);
    if (build(program, policy, error))
        return &program->base;
    program_free(&program->base);
    return NULL;
}

static DpcxrProgram *compile_cost(const DpcxrGraph *graph, const DpcxrProgramOptions *options, GError **error)
{
    return compile(graph, options, CPU_POLICY_COST, error);
}

static DpcxrProgram *compile_direct(const DpcxrGraph *graph, const DpcxrProgramOptions *options,
                                    GError **error)
{
    return compile(graph, options, CPU_POLICY_DIRECT, error);
}

static DpcxrProgram *compile_gram(const DpcxrGraph *graph, const DpcxrProgramOptions *options, GError **error)
{
    return compile(graph, options, CPU_POLICY_GRAM, error);
}

const DpcxrBackend dpcxr_backend_cpu = {
    .name = "cpu", .summary = "oneDNN, OpenBLAS and own vector loops", .compile = compile_cost};
const DpcxrBackend dpcxr_backend_cpu_direct = {
    .name = "cpu-direct", .summary = "cpu with all unit gradients formed", .compile = compile_direct};
const DpcxrBackend dpcxr_backend_cpu_gram = {
    .name = "cpu-gram", .summary = "cpu with all unit norms from Gram matrices", .compile = compile_gram};
