/* SPDX-License-Identifier: MIT */
#include "backend/cpu/onednn.h"

/* libgomp's; its header is the compiler's own and not there for every compiler. */
extern void omp_set_num_threads(int threads);
extern int omp_get_max_threads(void);

void dpcxr_onednn_enter(void)
{
    if (omp_get_max_threads() != 1)
        omp_set_num_threads(1);
    if (omp_get_max_threads() != 1)
        g_error("OpenMP does not stay at one thread; oneDNN would compute wrongly");
}

gboolean dpcxr_onednn_has_bf16(void)
{
    /* The values are sets of bits. */
    return (dnnl_get_effective_cpu_isa() & dnnl_cpu_isa_avx512_core_bf16) == dnnl_cpu_isa_avx512_core_bf16;
}

static const char *status_name(dnnl_status_t status)
{
    switch (status) {
    case dnnl_out_of_memory:
        return "out of memory";
    case dnnl_invalid_arguments:
        return "invalid arguments";
    case dnnl_unimplemented:
        return "not implemented";
    case dnnl_runtime_error:
        return "runtime error";
    default:
        return "failed";
    }
}

gboolean dpcxr_onednn_check(dnnl_status_t status, const char *what, GError **error)
{
    if (status == dnnl_success)
        return TRUE;
    g_set_error(error, DPCXR_ERROR, status == dnnl_out_of_memory ? DPCXR_ERROR_MEMORY : DPCXR_ERROR_FAILED,
                "oneDNN: %s: %s (status %d)", what, status_name(status), (int)status);
    return FALSE;
}

static gboolean own_scratchpad(dnnl_primitive_attr_t *attributes, GError **error)
{
    return dpcxr_onednn_check(dnnl_primitive_attr_create(attributes), "attributes", error) &&
           dpcxr_onednn_check(dnnl_primitive_attr_set_scratchpad_mode(*attributes, dnnl_scratchpad_mode_user),
                              "scratchpad mode", error);
}

gboolean dpcxr_onednn_primitive_init(DpcxrOnednnPrimitive *p, const void *operation, dnnl_engine_t engine,
                                     const DpcxrOnednnPrimitive *hint, const char *what, GError **error)
{
    dnnl_primitive_attr_t attributes = NULL;
    dpcxr_onednn_enter();
    gboolean good = own_scratchpad(&attributes, error) &&
                    dpcxr_onednn_check(dnnl_primitive_desc_create(&p->description, operation, attributes,
                                                                  engine, hint ? hint->description : NULL),
                                       what, error) &&
                    dpcxr_onednn_check(dnnl_primitive_create(&p->primitive, p->description), what, error);
    if (attributes)
        dnnl_primitive_attr_destroy(attributes);
    return good;
}

gboolean dpcxr_onednn_reorder_init(DpcxrOnednnPrimitive *p, const dnnl_memory_desc_t *from,
                                   const dnnl_memory_desc_t *to, dnnl_engine_t engine, const char *what,
                                   GError **error)
{
    dnnl_primitive_attr_t attributes = NULL;
    dpcxr_onednn_enter();
    gboolean good = own_scratchpad(&attributes, error) &&
                    dpcxr_onednn_check(dnnl_reorder_primitive_desc_create(&p->description, from, engine, to,
                                                                          engine, attributes),
                                       what, error) &&
                    dpcxr_onednn_check(dnnl_primitive_create(&p->primitive, p->description), what, error);
    if (attributes)
        dnnl_primitive_attr_destroy(attributes);
    return good;
}

gboolean dpcxr_onednn_product(int m, int n, int k, const float *a, const float *b, float *c, int ld,
                              gboolean clear, GError **error)
{
    dpcxr_onednn_enter();
    return dpcxr_onednn_check(dnnl_sgemm('T', 'N', m, n, k, 1, a, m, b, n, clear ? 0 : 1, c, ld), "product",
                              error);
}

void dpcxr_onednn_primitive_clear(DpcxrOnednnPrimitive *p)
{
    if (p->primitive)
        dnnl_primitive_destroy(p->primitive);
    if (p->description)
        dnnl_primitive_desc_destroy(p->description);
    *p = (DpcxrOnednnPrimitive){0};
}

const dnnl_memory_desc_t *dpcxr_onednn_layout(const DpcxrOnednnPrimitive *p, dnnl_query_t what)
{
    return dnnl_primitive_desc_query_md(p->description, what, 0);
}
