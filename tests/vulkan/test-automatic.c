/* SPDX-License-Identifier: MIT
 * What device.type auto takes, on devices that the faulty layer makes look like others. */
#include "backend/vulkan/vulkan.h"
#include <dpcxr/error.h>

static const DpcxrProgramOptions plain = {0}, grid = {.grid = TRUE}, bf16 = {.precision = DPCXR_PRECISION_BF16},
                                 named = {.device = "0"};

typedef struct {
    const char *type;     /* DPCXR_FAULTY_TYPE */
    const char *variable; /* (nullable) another that is set */
    const DpcxrProgramOptions *options;
    const char *want;
} Case;

static const Case cases[] = {
    {"discrete", NULL, NULL, "vulkan"},
    {"discrete", NULL, &plain, "vulkan"},
    {"integrated", NULL, &plain, "vulkan"},
    {"virtual", NULL, &plain, "vulkan"},
    {"cpu", NULL, &plain, "cpu"},
    {"cpu", NULL, NULL, "cpu"},
    {"discrete", NULL, &bf16, "cpu"},
    {"discrete", NULL, &grid, "vulkan"},
    {"discrete", "DPCXR_FAULTY_NO_FLOAT64", &grid, "cpu"},
    {"discrete", "DPCXR_FAULTY_NO_FLOAT64", &plain, "vulkan"},
    {"discrete", "DPCXR_FAULTY_NO_DEVICES", &plain, "cpu"},
    {"cpu", NULL, &named, "vulkan"}, /* who names a device means it, whatever it is */
    {"discrete", "DPCXR_FAULTY_NO_DEVICES", &named, "vulkan"},
};

static gboolean has_device(void)
{
    g_setenv("DPCXR_FAULTY_TYPE", "discrete", TRUE);
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) devices = dpcxr_vulkan_devices(&error);
    if (error)
        g_test_message("%s", error->message);
    return devices && devices->len > 0 &&
           !((const DpcxrVulkanDevice *)g_ptr_array_index(devices, 0))->problem;
}

static void test_automatic(void)
{
    if (!has_device()) {
        g_test_skip("no Vulkan device");
        return;
    }
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        const Case *c = &cases[i];
        g_setenv("DPCXR_FAULTY_TYPE", c->type, TRUE);
        if (c->variable)
            g_setenv(c->variable, "1", TRUE);
        g_autoptr(GError) error = NULL;
        const DpcxrBackend *backend = dpcxr_backend_find("auto", c->options, &error);
        if (c->variable)
            g_unsetenv(c->variable);
        g_test_message("%" G_GSIZE_FORMAT ": %s %s", i, c->type, c->variable ? c->variable : "");
        g_assert_no_error(error);
        g_assert_cmpstr(backend->name, ==, c->want);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/vulkan/automatic", test_automatic);
    return g_test_run();
}
