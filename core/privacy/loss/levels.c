/* SPDX-License-Identifier: MIT */
#include "privacy/loss/levels.h"
#include <math.h>
#include "privacy/loss/compose.h"
#include "privacy/loss/law-lattice.h"

#define SIZE_USUAL 15        /* log2 of points in a transform: where nothing asks for more */
#define SIZE_MAX_LOG2 20     /* more memory than this is not taken: wider bounds instead */
#define SIZE_PRECISE_LOG2 17 /* nor, with precise transforms, more time */
#define LEVELS 2             /* the error is shared among so many levels; more only make it larger */

double dpcxr_loss_laws_total(const GArray *laws)
{
    double total = 0;
    for (guint i = 0; i < laws->len; i++)
        total += (double)g_array_index(laws, DpcxrLossLaw, i).count;
    return total;
}

/* Distributions that wait for composition, all with one spacing. */
typedef struct {
    GPtrArray *lattices;
    double spacing, tilt;
    double log_tail; /* of the tilted mass that may be cut off in all */
    gboolean precise;
} Stock;

static double stock_total(const Stock *stock)
{
    double total = 0;
    for (guint i = 0; i < stock->lattices->len; i++)
        total += (double)((DpcxrLossLattice *)stock->lattices->pdata[i])->count;
    return total;
}

/* Spreading onto a lattice adds about spacing^2 / 6 to the variance of each factor. */
static double spacing_for(double variance, double factors)
{
    return sqrt(6 * variance / (LEVELS * factors));
}

static gboolean stock_fill(Stock *stock, const GArray *laws)
{
    double log_tail = stock->log_tail - log(dpcxr_loss_laws_total(laws));
    for (guint i = 0; i < laws->len; i++) {
        const DpcxrLossLaw *law = &g_array_index(laws, DpcxrLossLaw, i);
        double log_scale = dpcxr_loss_law_log_moment(law, stock->tilt);
        DpcxrLossLattice *lattice =
            dpcxr_loss_law_lattice(law, stock->tilt, log_scale, stock->spacing, log_tail,
                                    (gsize)1 << ((stock->precise ? SIZE_PRECISE_LOG2 : SIZE_MAX_LOG2) - 1));
        if (!lattice)
            return FALSE;
        g_ptr_array_add(stock->lattices, lattice);
    }
    return TRUE;
}

static void stock_coarsen(Stock *stock)
{
    for (guint i = 0; i < stock->lattices->len; i++) {
        DpcxrLossLattice *fine = stock->lattices->pdata[i];
        stock->lattices->pdata[i] = dpcxr_loss_coarsen(fine, stock->spacing, stock->tilt);
        dpcxr_loss_lattice_free(fine);
    }
    stock->spacing *= 2;
}

/* All that is in stock, composed; NULL where that takes more than 2^max_log2 points. */
static DpcxrLossLattice *stock_compose(const Stock *stock, guint max_log2)
{
    guint n = stock->lattices->len;
    g_autofree DpcxrLossFactor *factors = g_new(DpcxrLossFactor, n);
    for (guint i = 0; i < n; i++) {
        DpcxrLossLattice *lattice = stock->lattices->pdata[i];
        factors[i] = (DpcxrLossFactor){lattice, lattice->count};
    }
    return dpcxr_loss_compose(factors, n, stock->log_tail, max_log2, stock->precise);
}

/* The largest power of two m for which the m-th power of every distribution in stock fits into 2^log2_size
 * points. */
static guint64 common_power(const Stock *stock, guint log2_size, double log_tail)
{
    guint64 power = (guint64)1 << 20;
    for (guint i = 0; i < stock->lattices->len; i++) {
        DpcxrLossLattice *lattice = stock->lattices->pdata[i];
        while (power > 1) {
            DpcxrLossFactor factor = {lattice, power};
            if (dpcxr_loss_compose_size(&factor, 1, log_tail) <= log2_size)
                break;
            power /= 2;
        }
    }
    return power;
}

static gboolean add_product(GPtrArray *to, const DpcxrLossFactor *factors, gsize n, guint64 count,
                            double log_tail, gboolean precise)
{
    DpcxrLossLattice *product = dpcxr_loss_compose(factors, n, log_tail, precise ? SIZE_PRECISE_LOG2 : SIZE_MAX_LOG2, precise);
    if (!product)
        return FALSE;
    product->count = count;
    g_ptr_array_add(to, product);
    return TRUE;
}

/* How many of @count become one, at most @most: the same number each time with none left over, where that can
 * be. */
static guint64 even_power(guint64 count, guint64 most)
{
    guint64 pieces = (count + most - 1) / most;
    for (guint64 more = 0; more < 256 && count / (pieces + more) >= MAX(2, most / 4); more++) {
        if (count % (pieces + more) == 0)
            return count / (pieces + more);
    }
    return MAX(2, count / pieces);
}

/* Powers of those that are there often, and of what is left of them. The others are put together, up to @most
 * factors at a time. */
static gboolean stock_level(Stock *stock, guint64 most, double log_tail)
{
    g_autoptr(GArray) group = g_array_new(FALSE, FALSE, sizeof(DpcxrLossFactor));
    GPtrArray *next = g_ptr_array_new_with_free_func((GDestroyNotify)dpcxr_loss_lattice_free);
    gboolean done = TRUE;
    guint64 gathered = 0;
    for (guint i = 0; i < stock->lattices->len && done; i++) {
        DpcxrLossLattice *lattice = stock->lattices->pdata[i];
        if (lattice->count >= most) {
            DpcxrLossFactor factor = {lattice, even_power(lattice->count, most)};
            guint64 left = lattice->count % factor.power;
            done = add_product(next, &factor, 1, lattice->count / factor.power, log_tail, stock->precise);
            factor.power = left;
            done = done && (left == 0 || add_product(next, &factor, 1, 1, log_tail, stock->precise));
            continue;
        }
        if (gathered + lattice->count > most) {
            done = add_product(next, (const DpcxrLossFactor *)(void *)group->data, group->len, 1, log_tail, stock->precise);
            g_array_set_size(group, 0);
            gathered = 0;
        }
        DpcxrLossFactor factor = {lattice, lattice->count};
        g_array_append_val(group, factor);
        gathered += factor.power;
    }
    if (done && group->len > 0)
        done = add_product(next, (const DpcxrLossFactor *)(void *)group->data, group->len, 1, log_tail, stock->precise);
    g_ptr_array_unref(done ? stock->lattices : next);
    if (done)
        stock->lattices = next;
    return done;
}

DpcxrLossLattice *dpcxr_loss_levels(const GArray *laws, const DpcxrLossPass *pass, double *spacing)
{
    Stock stock = {g_ptr_array_new_with_free_func((GDestroyNotify)dpcxr_loss_lattice_free), .tilt = pass->tilt,
                   .log_tail = pass->log_tail, .precise = pass->precise};
    DpcxrLossLattice *whole = NULL;
    double variance = pass->variance, log_tail = pass->log_tail;
    stock.spacing = spacing_for(variance, dpcxr_loss_laws_total(laws));
    while (stock.spacing < 1e3 && !stock_fill(&stock, laws)) {
        g_ptr_array_set_size(stock.lattices, 0);
        stock.spacing *= 2;
    }
    while (stock.lattices->len > 0) {
        double total = stock_total(&stock), piece_tail = log_tail - log(total);
        if (total == 1) {
            whole = g_ptr_array_steal_index(stock.lattices, 0);
            break;
        }
        guint size = SIZE_USUAL;
        for (guint i = 0; i < stock.lattices->len; i++) {
            while (ldexp(1, (int)size) < 1.3 * (double)((DpcxrLossLattice *)stock.lattices->pdata[i])->n)
                size++;
        }
        guint most = stock.precise ? SIZE_PRECISE_LOG2 : SIZE_MAX_LOG2;
        size = MIN(size, most);
        whole = stock_compose(&stock, size);
        if (whole)
            break;
        guint64 power = common_power(&stock, size, piece_tail);
        while (power < 8 && size < most)
            power = common_power(&stock, ++size, piece_tail);
        if (power < 2 || !stock_level(&stock, power, piece_tail)) {
            if (stock.spacing > 1e6)
                break;
            stock_coarsen(&stock);
            continue;
        }
        double wanted = spacing_for(variance, stock_total(&stock));
        while (2 * stock.spacing <= wanted)
            stock_coarsen(&stock);
    }
    *spacing = stock.spacing;
    g_ptr_array_unref(stock.lattices);
    return whole;
}
