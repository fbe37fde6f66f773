/* SPDX-License-Identifier: MIT
 * Which device a name means, on machines that are made up. */
#include "backend/vulkan/vulkan.h"
#include <dpcxr/error.h>
#include <string.h>

static const DpcxrVulkanDevice machine[] = {
    {.index = 0,
     .name = (char *)"llvmpipe (LLVM 15)",
     .uuid = (char *)"00000000-0000-0000-0000-00000000000a",
     .kind = DPCXR_VULKAN_SOFTWARE},
    {.index = 1,
     .name = (char *)"Graphics 770",
     .uuid = (char *)"00000000-0000-0000-0000-00000000000b",
     .kind = DPCXR_VULKAN_INTEGRATED,
     .float64 = TRUE},
    {.index = 2,
     .name = (char *)"Big Card 9000",
     .uuid = (char *)"00000000-0000-0000-0000-00000000000c",
     .kind = DPCXR_VULKAN_DISCRETE,
     .float64 = TRUE,
     .int64 = TRUE,
     .float16 = TRUE},
    {.index = 3,
     .name = (char *)"Big Card 9000",
     .uuid = (char *)"00000000-0000-0000-0000-00000000000d",
     .kind = DPCXR_VULKAN_DISCRETE},
    {.index = 4,
     .name = (char *)"Old Card 1",
     .uuid = (char *)"00000000-0000-0000-0000-00000000000e",
     .kind = DPCXR_VULKAN_DISCRETE,
     .problem = (char *)"it has no Vulkan 1.2"},
    {.index = 5,
     .name = (char *)"Slice of a card",
     .uuid = (char *)"00000000-0000-0000-0000-00000000000f",
     .kind = DPCXR_VULKAN_VIRTUAL,
     .int64 = TRUE},
    {.index = 6,
     .name = (char *)"Accelerator",
     .uuid = (char *)"00000000-0000-0000-0000-000000000010",
     .kind = DPCXR_VULKAN_OTHER},
};

/* The devices whose bit is set in @which, in that order. */
static GPtrArray *devices(guint which)
{
    GPtrArray *list = g_ptr_array_new();
    for (guint i = 0; i < G_N_ELEMENTS(machine); i++)
        if (which >> i & 1)
            g_ptr_array_add(list, (gpointer)&machine[i]);
    return list;
}

static void check_found(guint which, const char *name, int position)
{
    g_autoptr(GPtrArray) list = devices(which);
    g_autoptr(GError) error = NULL;
    int found = dpcxr_vulkan_choose(list, name, &error);
    g_assert_no_error(error);
    g_assert_cmpint(found, ==, position);
}

/* @parts: what the message has, NULL-terminated. */
static void check_refused(guint which, const char *name, const char *const *parts)
{
    g_autoptr(GPtrArray) list = devices(which);
    g_autoptr(GError) error = NULL;
    g_assert_cmpint(dpcxr_vulkan_choose(list, name, &error), ==, -1);
    g_assert_error(error, DPCXR_ERROR, DPCXR_ERROR_USAGE);
    for (; *parts; parts++)
        if (!strstr(error->message, *parts))
            g_error("no \"%s\" in: %s", *parts, error->message);
}

#define PARTS(...) ((const char *const[]){__VA_ARGS__, NULL})

enum { ALL = 0x1f, UNUSABLE = 0x10 };

static void test_index(void)
{
    check_found(ALL, "0", 0);
    check_found(ALL, "3", 3);
    check_found(0x0c, "3", 1); /* the loader's number, not the position */
    check_refused(ALL, "5", PARTS("device.name: no Vulkan device \"5\"", "4: Old Card 1"));
    check_refused(ALL, "9000",
                  PARTS("no Vulkan device \"9000\"")); /* digits are an index, never a part of a name */
}

static void test_uuid(void)
{
    check_found(ALL, "00000000-0000-0000-0000-00000000000d", 3);
    check_found(ALL, "00000000-0000-0000-0000-00000000000D", 3);
    check_refused(ALL, "00000000-0000-0000-0000-00000000000f", PARTS("no Vulkan device"));
    check_refused(ALL, "00000000-0000-0000-0000-000000000", PARTS("no Vulkan device"));
}

static void test_part(void)
{
    check_found(ALL, "llvm", 0);
    check_found(ALL, "graphics", 1);
    check_found(0x07, "BIG card", 2);
    check_refused(ALL, "big card",
                  PARTS("several Vulkan devices are called \"big card\"", "use an index or a UUID",
                        "2: Big Card 9000, discrete, 00000000-0000-0000-0000-00000000000c",
                        "3: Big Card 9000, discrete, 00000000-0000-0000-0000-00000000000d"));
    check_refused(ALL, "radeon",
                  PARTS("device.name: no Vulkan device \"radeon\"; there are:", "0: llvmpipe"));
}

static void test_unusable(void)
{
    static const char *const names[] = {"4", "old", "00000000-0000-0000-0000-00000000000e"};
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
        check_refused(ALL, names[i], PARTS("cannot be used: it has no Vulkan 1.2", "0: llvmpipe"));
    check_refused(UNUSABLE, NULL,
                  PARTS("none of this machine's Vulkan devices can be used", "4: Old Card 1, discrete",
                        "(not usable: it has no Vulkan 1.2)"));
}

static void test_best(void)
{
    check_found(ALL, NULL, 2);  /* the first of two of the best kind */
    check_found(0x13, NULL, 1); /* the one that cannot be used does not count */
    check_found(0x11, NULL, 0);
}

static void test_none(void)
{
    check_refused(0, NULL, PARTS("device.type: this machine has no Vulkan device"));
    check_refused(0, "0", PARTS("device.name: no Vulkan device \"0\"; there is none"));
}

static int automatic(guint which, DpcxrPrecision precision, gboolean grid)
{
    g_autoptr(GPtrArray) list = devices(which);
    return dpcxr_vulkan_choose_automatic(list, precision, grid);
}

static void test_automatic(void)
{
    g_assert_cmpint(automatic(ALL, DPCXR_PRECISION_FP32, FALSE), ==, 2);
    g_assert_cmpint(automatic(0x13, DPCXR_PRECISION_FP32, FALSE), ==, 1);
    g_assert_cmpint(automatic(0x20, DPCXR_PRECISION_FP32, FALSE), ==, 0);
    g_assert_cmpint(automatic(0x01, DPCXR_PRECISION_FP32, FALSE), ==, -1); /* software */
    g_assert_cmpint(automatic(0x41, DPCXR_PRECISION_FP32, FALSE), ==, -1); /* of no known kind */
    g_assert_cmpint(automatic(UNUSABLE, DPCXR_PRECISION_FP32, FALSE), ==, -1);
    g_assert_cmpint(automatic(0, DPCXR_PRECISION_FP32, FALSE), ==, -1);
    g_assert_cmpint(automatic(ALL, DPCXR_PRECISION_BF16, FALSE), ==, -1);
    g_assert_cmpint(automatic(ALL, DPCXR_PRECISION_FP16, FALSE), ==, 2);
    g_assert_cmpint(automatic(0x13, DPCXR_PRECISION_FP16, FALSE), ==, -1); /* the best has none */
    g_assert_cmpint(automatic(ALL, DPCXR_PRECISION_FP32, TRUE), ==, 2);
    g_assert_cmpint(automatic(0x23, DPCXR_PRECISION_FP32, TRUE), ==, -1); /* the best has float64 alone */
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/vulkan-choose/index", test_index);
    g_test_add_func("/vulkan-choose/uuid", test_uuid);
    g_test_add_func("/vulkan-choose/part", test_part);
    g_test_add_func("/vulkan-choose/unusable", test_unusable);
    g_test_add_func("/vulkan-choose/best", test_best);
    g_test_add_func("/vulkan-choose/none", test_none);
    g_test_add_func("/vulkan-choose/automatic", test_automatic);
    return g_test_run();
}
