/* SPDX-License-Identifier: MIT
 * The layout that compiled plugins rely on, frozen. A number that changes here is a new ABI: members added at
 * the end of a struct raise DPCXR_ABI_MINOR, anything else raises DPCXR_ABI_MAJOR. Sizes are those of 64-bit
 * Linux. */
#include <dpcxr/dpcxr.h>
#include <stddef.h>

static void test_version(void)
{
    g_assert_cmpint(DPCXR_ABI_MAJOR, ==, 1);
    g_assert_cmpint(DPCXR_ABI_MINOR, ==, 2);
}

static void test_sizes(void)
{
    g_assert_cmpuint(sizeof(DpcxrPlugin), ==, 96);
    g_assert_cmpuint(sizeof(DpcxrOptionSpec), ==, 64);
    g_assert_cmpuint(sizeof(DpcxrModel), ==, 8);
    g_assert_cmpuint(sizeof(DpcxrDataset), ==, 24);
    g_assert_cmpuint(sizeof(DpcxrAugmentation), ==, 24);
    g_assert_cmpuint(sizeof(DpcxrAccountant), ==, 56);
    g_assert_cmpuint(sizeof(DpcxrEvent), ==, 48);
    g_assert_cmpuint(sizeof(DpcxrMechanism), ==, 24);
    g_assert_cmpuint(sizeof(DpcxrInterval), ==, 24);
    g_assert_cmpuint(sizeof(DpcxrComponent), ==, 24);
    g_assert_cmpuint(sizeof(DpcxrMixture), ==, 88);
    g_assert_cmpuint(sizeof(DpcxrRow), ==, 40);
    g_assert_cmpuint(sizeof(DpcxrImage), ==, 24);
    g_assert_cmpuint(sizeof(DpcxrSample), ==, 48);
    g_assert_cmpuint(sizeof(DpcxrConv2d), ==, 20);
    g_assert_cmpuint(sizeof(DpcxrRandom), ==, 116);
}

/* Read before the version is known: the same in every ABI there will ever be. */
static void test_head(void)
{
    g_assert_cmpuint(offsetof(DpcxrPlugin, abi_major), ==, 0);
    g_assert_cmpuint(offsetof(DpcxrPlugin, abi_minor), ==, 4);
    g_assert_cmpuint(offsetof(DpcxrPlugin, struct_size), ==, 8);
    g_assert_cmpuint(offsetof(DpcxrPlugin, feature_size), ==, 16);
}

static void test_descriptor(void)
{
    g_assert_cmpuint(offsetof(DpcxrPlugin, kind), ==, 24);
    g_assert_cmpuint(offsetof(DpcxrPlugin, name), ==, 32);
    g_assert_cmpuint(offsetof(DpcxrPlugin, version), ==, 40);
    g_assert_cmpuint(offsetof(DpcxrPlugin, summary), ==, 48);
    g_assert_cmpuint(offsetof(DpcxrPlugin, licence), ==, 56);
    g_assert_cmpuint(offsetof(DpcxrPlugin, reference), ==, 64);
    g_assert_cmpuint(offsetof(DpcxrPlugin, options), ==, 72);
    g_assert_cmpuint(offsetof(DpcxrPlugin, feature), ==, 80);
    g_assert_cmpuint(offsetof(DpcxrPlugin, init), ==, 88);
}

/* Numbers that are compiled into plugins: new ones go to the end. */
static void test_enumerations(void)
{
    g_assert_cmpint(DPCXR_PLUGIN_MODEL, ==, 0);
    g_assert_cmpint(DPCXR_PLUGIN_ACCOUNTANT, ==, 3);
    g_assert_cmpint(DPCXR_OPTION_BOOL, ==, 0);
    g_assert_cmpint(DPCXR_OPTION_MAP, ==, 8);
    g_assert_cmpint(DPCXR_SPLIT_TEST, ==, 2);
    g_assert_cmpint(DPCXR_LABEL_MISSING, ==, -2);
    g_assert_cmpint(DPCXR_LABEL_UNCERTAIN, ==, -1);
    g_assert_cmpint(DPCXR_ADJACENCY_REPLACE_ONE, ==, 2);
    g_assert_cmpint(DPCXR_SAMPLER_SHUFFLE, ==, 4);
    g_assert_cmpint(DPCXR_ERROR_FAILED, ==, 1);
    g_assert_cmpint(DPCXR_ERROR_MEMORY, ==, 5);
    g_assert_cmpint(DPCXR_ERROR_STOPPED, ==, 75);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/abi/version", test_version);
    g_test_add_func("/abi/sizes", test_sizes);
    g_test_add_func("/abi/head", test_head);
    g_test_add_func("/abi/descriptor", test_descriptor);
    g_test_add_func("/abi/enumerations", test_enumerations);
    return g_test_run();
}
