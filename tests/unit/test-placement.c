/* SPDX-License-Identifier: MIT */
#include "backend/placement.h"

enum { MOST = 40 };

static gboolean meet(int first_a, int last_a, int first_b, int last_b)
{
    return first_a <= last_b && first_b <= last_a;
}

static void check_apart(const DpcxrLife *lives, int n, gsize bytes)
{
    for (int i = 0; i < n; i++) {
        g_assert_cmpuint(lives[i].offset % 64, ==, 0);
        g_assert_cmpuint(lives[i].offset + lives[i].bytes, <=, bytes);
        for (int j = 0; j < i; j++)
            if (meet(lives[i].first, lives[i].last, lives[j].first, lives[j].last))
                g_assert_true(lives[i].offset + lives[i].bytes <= lives[j].offset ||
                              lives[j].offset + lives[j].bytes <= lives[i].offset);
    }
}

/* Whatever lives at the same time lies apart; at no time is more needed than all together. */
static void test_random(void)
{
    g_autoptr(GRand) random = g_rand_new_with_seed(1);
    for (int round = 0; round < 200; round++) {
        DpcxrLife lives[MOST], *list[MOST];
        int n = g_rand_int_range(random, 1, MOST);
        gsize all = 0;
        for (int i = 0; i < n; i++) {
            lives[i] = dpcxr_life_never((gsize)g_rand_int_range(random, 1, 5000));
            dpcxr_life_extend(&lives[i], g_rand_int_range(random, 0, 20));
            dpcxr_life_extend(&lives[i], g_rand_int_range(random, 0, 20));
            all += (lives[i].bytes + 63) / 64 * 64;
            list[i] = &lives[i];
        }
        gsize bytes = dpcxr_place_lives(list, (guint)n, 64);
        g_assert_cmpuint(bytes, <=, all);
        check_apart(lives, n, bytes);
    }
}

/* Tensors after each other share one place; equal ones keep their order. */
static void test_shared(void)
{
    DpcxrLife lives[3], *list[3];
    for (int i = 0; i < 3; i++) {
        lives[i] = dpcxr_life_never(100);
        dpcxr_life_extend(&lives[i], i);
        dpcxr_life_extend(&lives[i], i + 1); /* meets its neighbours, not the one after */
        list[i] = &lives[i];
    }
    g_assert_cmpuint(dpcxr_place_lives(list, 3, 64), ==, 256);
    g_assert_cmpuint(lives[0].offset, ==, 0);
    g_assert_cmpuint(lives[1].offset, ==, 128);
    g_assert_cmpuint(lives[2].offset, ==, 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/placement/random", test_random);
    g_test_add_func("/placement/shared", test_shared);
    return g_test_run();
}
