/* SPDX-License-Identifier: MIT
 * Whole runs of the program on drawn radiographs with a small model: what lies where afterwards, what a batch size may
 * change, what a kill or a changed file does to the claim. */
#include "privacy/ledger.h"
#include "place.h"
#include "temporary.h"
#include "tensor/safetensors.h"
#include <glib/gstdio.h>
#include <math.h>
#include <signal.h>
#include <string.h>

static char *program;

static int mode(const Place *place, const char *name)
{
    g_autofree char *path = place_path(place, name);
    GStatBuf status;
    g_assert_cmpint(g_stat(path, &status), ==, 0);
    return status.st_mode & 0777;
}

/* The card names the very files that it lies beside. */
static void assert_card_fits(const Place *place)
{
    g_autofree char *card = place_read(place, "runs/t/release/privacy.json", NULL);
    gsize length;
    g_autofree char *model = place_read(place, "runs/t/release/model.safetensors", &length);
    g_autofree char *sha256 = g_compute_checksum_for_data(G_CHECKSUM_SHA256, (const guchar *)model, length);
    g_autofree char *ledger_path = place_path(place, "runs/t/release/ledger.jsonl");
    g_autoptr(DpcxrLedger) ledger = dpcxr_ledger_read(ledger_path, NULL);
    g_assert_nonnull(strstr(card, sha256));
    g_assert_nonnull(strstr(card, dpcxr_ledger_head(ledger)));
}

static void test_folder(Place *place, gconstpointer backend)
{
    RUN(place, 0, "delta=0.001 unit=patient accountant=rdp run=runs/t", "--quiet");
    static const char *const released[] = {"model.safetensors", "privacy.json", "privacy.md", "ledger.jsonl", "config.yaml"};
    for (gsize i = 0; i < G_N_ELEMENTS(released); i++) {
        g_autofree char *name = g_build_filename("runs/t/release", released[i], NULL);
        g_assert_true(place_has(place, name));
    }
    g_autofree char *release = place_path(place, "runs/t/release");
    g_autoptr(GDir) dir = g_dir_open(release, 0, NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(released); i++)
        g_assert_nonnull(g_dir_read_name(dir));
    g_assert_null(g_dir_read_name(dir)); /* and nothing else */
    g_assert_true(place_has(place, "runs/t/private/results.json"));
    g_assert_true(place_has(place, "runs/t/private/predictions-test.csv"));
    g_assert_true(place_has(place, "runs/t/DONE"));
    g_assert_false(place_has(place, "runs/t/private/model.safetensors"));
    g_assert_cmpint(mode(place, "runs/t/private"), ==, 0700);
    assert_card_fits(place);
    RUN(place, 2, "exists", "--quiet");
    RUN(place, 0, "RESULT", "--quiet", "--resume"); /* done: says so again */
}

/* Output of `dpcxr check` with one override, and perhaps --data, which must end with @wanted. */
static char *check(const Place *place, int wanted, const char *override, const char *data)
{
    g_autofree char *output = NULL;
    g_autoptr(GSubprocess) process =
        g_subprocess_new(G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_MERGE, NULL, program, "check",
                         place->config, override, data, NULL);
    g_assert_nonnull(process);
    g_assert_true(g_subprocess_communicate_utf8(process, NULL, NULL, &output, NULL, NULL));
    g_assert_cmpint(g_subprocess_get_exit_status(process), ==, wanted);
    return g_steal_pointer(&output);
}

/* No guarantee, no release: whatever voids the claim. */
static void test_voids(Place *place, gconstpointer backend)
{
    static const char *const voids[] = {"privacy.enabled=false", "privacy.noise={source: seeded}",
                                        "privacy={epsilon: null, noise_multiplier: 0, unsafe_no_noise: true}",
                                        "loss.pos_weight=exact"};
    for (gsize i = 0; i < G_N_ELEMENTS(voids); i++) {
        g_autofree char *name = g_strdup_printf("name=v%zu", i);
        RUN(place, 0, "epsilon=none", name, voids[i], "train.steps=2");
        RUN(place, 0, "NO CLAIM: ", "--dry-run", voids[i]);
        g_autofree char *said = check(place, 0, voids[i], NULL);
        g_assert_nonnull(strstr(said, "NO CLAIM: "));
        g_autofree char *release = g_strdup_printf("runs/v%zu/release", i);
        g_autofree char *model = g_strdup_printf("runs/v%zu/private/model.safetensors", i);
        g_assert_false(place_has(place, release));
        g_assert_cmpint(mode(place, model), ==, 0600);
    }
}

/* Images at once are a matter of memory. At 3 and at 1, units of up to 4 images go through the bank of large units, whose
 * norm is formed outright; a Gram norm is an upper bound that may be up to 1 % above it, and clips so much more. */
static void test_physical_batch(Place *place, gconstpointer backend)
{
    static const char *const sizes[] = {"64", "3", "1"};
    double tolerance = g_strcmp0(backend, "ref") == 0 ? 1e-5 : 2e-3;
    for (gsize i = 0; i < G_N_ELEMENTS(sizes); i++) {
        g_autofree char *name = g_strdup_printf("name=p%s", sizes[i]);
        g_autofree char *physical = g_strdup_printf("train.batch.physical=%s", sizes[i]);
        RUN(place, 0, "epsilon=none", name, physical, "privacy.noise={source: seeded}", "optimizer={type: sgd, lr: 0.1}",
            "train.steps=4");
    }
    g_assert_cmpfloat(place_distance(place, "runs/p64/private/model.safetensors", "runs/p3/private/model.safetensors"), <, tolerance);
    g_assert_cmpfloat(place_distance(place, "runs/p64/private/model.safetensors", "runs/p1/private/model.safetensors"), <, tolerance);
}

/* On a grid it is a matter of memory to the bit, and so is the number of threads: a unit's integers are its own. The claim is
 * the same, the card says what it is worth. */
static void test_grid(Place *place, gconstpointer backend)
{
    static const char grid[] = "privacy.noise={type: grid, source: seeded}", adaptive[] = "privacy.clip.type=adaptive";
    static const struct {
        const char *name, *override;
    } runs[] = {{"p64", "train.batch.physical=64"}, {"p3", "train.batch.physical=3"}, {"p1", "train.batch.physical=1"},
                {"t1", "device.threads=1"}};
    for (gsize i = 0; i < G_N_ELEMENTS(runs); i++) {
        g_autofree char *name = g_strdup_printf("name=%s", runs[i].name);
        g_autofree char *weights = g_strdup_printf("runs/%s/private/model.safetensors", runs[i].name);
        RUN(place, 0, "epsilon=none", name, grid, adaptive, "train.steps=4", runs[i].override,
            "loss.pos_weight={type: private_counts, noise_multiplier: 20}");
        g_assert_cmpfloat(place_distance(place, "runs/p64/private/model.safetensors", weights), ==, 0);
    }
    RUN(place, 0, "epsilon=8.00", "privacy.noise.type=grid", "train.steps=4");
    g_autofree char *card = place_read(place, "runs/t/release/privacy.md", NULL);
    g_assert_nonnull(strstr(card, "Noise is added to integers"));
    g_assert_null(strstr(card, "floating-point noise, and"));
    RUN(place, 2, "grid takes noise multipliers from", "privacy.noise.type=grid", "name=n", "privacy.noise_multiplier=1e-4");
    RUN(place, 2, "do not fit into the integers of grid", "privacy.noise.type=grid", "name=n", "privacy.delta=1e-12",
        "privacy.noise_multiplier=0.1", "privacy.population=500000000");
}

/* Noisy label counts are charged once, before the steps, and the whole ledger keeps the target; a resumed run weighs as
 * before and is not charged again. */
static void test_private_counts(Place *place, gconstpointer backend)
{
    static const char counts[] = "loss.pos_weight={type: private_counts, noise_multiplier: 4}";
    g_assert_cmpint(place_interrupt(place, SIGTERM, 6, (const char *const[]){counts, "train.steps=200", NULL}), ==, 75);
    RUN(place, 0, "epsilon=8.00", counts, "train.steps=200", "--resume");
    g_autofree char *path = place_path(place, "runs/t/release/ledger.jsonl"), *content = NULL;
    g_assert_true(g_file_get_contents(path, &content, NULL, NULL));
    const char *first = strstr(content, "\"counts\"");
    g_assert_nonnull(first);
    g_assert_null(strstr(first + 1, "\"counts\""));
    g_assert_true(first < strstr(content, "\"steps\""));
    /* Charged twice where the weights were lost: fewer steps are left, and the target still holds. */
    g_autofree char *here = place_path(place, "runs/t"), *aside = place_path(place, "runs/aside");
    g_assert_cmpint(g_rename(here, aside), ==, 0);
    g_assert_cmpint(place_interrupt(place, SIGTERM, 6, (const char *const[]){counts, "train.steps=200", NULL}), ==, 75);
    g_autofree char *weights = place_path(place, "runs/t/private/pos_weight.safetensors");
    g_assert_cmpint(g_remove(weights), ==, 0);
    RUN(place, 0, "the privacy budget is spent after", counts, "train.steps=200", "--resume");
    /* Weights without the ledger that they were charged on. */
    g_autofree char *ledger = place_path(place, "runs/t/private/ledger.jsonl"), *done = place_path(place, "runs/t/DONE");
    temporary_remove(place_path(place, "runs/t/private/checkpoints"));
    g_assert_cmpint(g_remove(ledger), ==, 0);
    g_assert_cmpint(g_remove(done), ==, 0);
    RUN(place, 4, "what was spent is not known", counts, "train.steps=200", "--resume");
    RUN(place, 2, "private_counts belongs to private runs", counts, "privacy.enabled=false", "name=n");
    RUN(place, 4, "before these steps alone", "loss.pos_weight={type: private_counts, noise_multiplier: 0.1}", "name=n");
}

/* Every way of clipping makes a claim, says so on its card, and gives the same weights for any physical batch. */
static void test_clipping(Place *place, gconstpointer backend)
{
    static const char *const types[] = {"per_layer", "automatic", "normalise", "adaptive"};
    for (gsize i = 0; i < G_N_ELEMENTS(types); i++) {
        g_autofree char *name = g_strdup_printf("name=%s", types[i]);
        g_autofree char *clip = g_strdup_printf("privacy.clip.type=%s", types[i]);
        RUN(place, 0, "epsilon=8.00", name, clip, "train.steps=4");
        g_autofree char *path = g_strdup_printf("%s/runs/%s/release/privacy.md", place->dir, types[i]);
        g_autofree char *words = g_strdup_printf("| clipping | %s, norm 1.5 |", types[i]), *card = NULL;
        g_assert_true(g_file_get_contents(path, &card, NULL, NULL));
        g_assert_nonnull(strstr(card, words));
        static const char *const sizes[] = {"64", "3"};
        for (gsize k = 0; k < 2; k++) {
            g_autofree char *run_name = g_strdup_printf("name=s%zu", k + 2 * i);
            g_autofree char *physical = g_strdup_printf("train.batch.physical=%s", sizes[k]);
            RUN(place, 0, "epsilon=none", run_name, clip, physical, "privacy.noise={source: seeded}", "train.steps=3",
                "optimizer={type: sgd, lr: 0.1}", "device.type=ref");
        }
        g_autofree char *a = g_strdup_printf("runs/s%zu/private/model.safetensors", 2 * i);
        g_autofree char *b = g_strdup_printf("runs/s%zu/private/model.safetensors", 2 * i + 1);
        g_assert_cmpfloat(place_distance(place, a, b), <, 1e-5);
    }
}

/* One step with decay 0.5: the warm-up makes it 2/11, so the average is 9/11 of the way from the first weights to the new
 * ones. With lr 0 the weights stay what they were. */
static void test_average(Place *place, gconstpointer backend)
{
    static const char *const runs[][3] = {{"name=start", "optimizer={type: sgd, lr: 0}", "train.ema=null"},
                                          {"name=last", "optimizer={type: sgd, lr: 1}", "train.ema=0.5"},
                                          {"name=mean", "optimizer={type: sgd, lr: 1}", "train.release=ema"}};
    DpcxrSafetensors *files[3];
    for (gsize i = 0; i < 3; i++) {
        RUN(place, 0, "epsilon=none", runs[i][0], runs[i][1], i == 2 ? "train.ema=0.5" : runs[i][2],
            i == 2 ? runs[i][2] : "train.release=last", "train.steps=1", "privacy.noise={source: seeded}");
        g_autofree char *path =
            g_strdup_printf("%s/runs/%s/private/model.safetensors", place->dir, runs[i][0] + strlen("name="));
        files[i] = dpcxr_safetensors_open(path, NULL);
        g_assert_nonnull(files[i]);
    }
    for (gsize t = 0; t < dpcxr_safetensors_count(files[0]); t++) {
        const DpcxrNamedTensor *tensors[3];
        for (gsize i = 0; i < 3; i++)
            tensors[i] = dpcxr_safetensors_find(files[i], dpcxr_safetensors_get(files[0], t)->name);
        for (gsize k = 0; k < tensors[0]->bytes; k += sizeof(float)) {
            float v[3];
            for (gsize i = 0; i < 3; i++)
                memcpy(&v[i], (const char *)tensors[i]->data + k, sizeof *v);
            g_assert_cmpfloat_with_epsilon(v[2], v[0] + (v[1] - v[0]) * 9.0f / 11, 1e-5f);
        }
    }
    for (gsize i = 0; i < 3; i++)
        dpcxr_safetensors_free(files[i]);
    RUN(place, 2, "there is no average to release", "train.release=ema");
}

/* (transfer full) double: all values of metric @name of run t, in the order of their lines. */
static GArray *metric(const Place *place, const char *name)
{
    g_autofree char *path = place_path(place, "runs/t/private/metrics.jsonl"), *content = NULL;
    g_autofree char *key = g_strdup_printf("\"name\":\"%s\",\"value\":", name);
    GArray *values = g_array_new(FALSE, FALSE, sizeof(double));
    g_assert_true(g_file_get_contents(path, &content, NULL, NULL));
    for (const char *at = content; (at = strstr(at, key)); at++) {
        double value = g_ascii_strtod(at + strlen(key), NULL);
        g_array_append_val(values, value);
    }
    return values;
}

/* Mean of the last @n values of metric @name of run t. */
static double last_values(const Place *place, const char *name, guint n)
{
    g_autoptr(GArray) values = metric(place, name);
    g_assert_cmpuint(values->len, >=, n);
    double sum = 0;
    for (guint i = values->len - n; i < values->len; i++)
        sum += g_array_index(values, double, i);
    return sum / n;
}

/* From far above, with weights that stay: the norm comes down until about half of the units are clipped. */
static void test_adaptive_clipping(Place *place, gconstpointer backend)
{
    RUN(place, 0, "epsilon=none", "privacy.clip={type: adaptive, norm: 100, rate: 0.4}", "optimizer={type: sgd, lr: 0}",
        "train={steps: 120, batch: {logical: 30}}", "privacy.noise={source: seeded}");
    g_assert_cmpfloat_with_epsilon(last_values(place, "clipped_fraction", 40), 0.5, 0.15);
    g_assert_cmpfloat(last_values(place, "clip_norm", 40), <, 20);
    RUN(place, 4, "nothing is left for the gradient", "privacy.clip={type: adaptive, count_noise: 0.01}", "name=n");
}

/* A logical batch of one patient out of about 80: more than a third of the draws are empty, and each is a step. */
static void test_empty_batches(Place *place, gconstpointer backend)
{
    RUN(place, 0, "RESULT", "train={steps: 20, batch: {logical: 1}}", "privacy.epsilon=3");
    g_autofree char *path = place_path(place, "runs/t/release/ledger.jsonl");
    g_autofree char *metrics = place_read(place, "runs/t/private/metrics.jsonl", NULL);
    g_autoptr(DpcxrLedger) ledger = dpcxr_ledger_read(path, NULL);
    g_assert_cmpuint(dpcxr_ledger_steps(ledger), ==, 20);
    g_assert_nonnull(strstr(metrics, "\"name\":\"train_units\",\"value\":0,")); /* P(none in 20 draws) < 1e-4 */
}

/* Seeded: stopped and resumed equals never stopped, to the bit; with adaptive clipping or, where @data is an override, with
 * that. It goes on with images from a cache on disk that was not there before. */
static void test_resume_exact(Place *place, gconstpointer data)
{
    const char *what = data && strchr(data, '=') ? data : "privacy.clip.type=adaptive";
    const char *const seeded[] = {"privacy.noise={source: seeded}", "train.steps=40", "train.ema=0.9", "train.release=ema",
                                  what, NULL};
    RUN(place, 0, "epsilon=none", seeded[0], seeded[1], seeded[2], seeded[3], what, "name=whole");
    int status = place_interrupt(place, SIGTERM, 6, seeded);
    if (status == 0)
        g_test_skip("the run ended before the signal came");
    else
        g_assert_cmpint(status, ==, 75);
    g_autofree char *folder = place_path(place, "cache"), *cache = g_strconcat("data.cache.dir=", folder, NULL);
    RUN(place, 0, "epsilon=none", seeded[0], seeded[1], seeded[2], seeded[3], what, cache, "data.cache.workers=1", "--resume");
    g_assert_cmpfloat(place_distance(place, "runs/t/private/model.safetensors", "runs/whole/private/model.safetensors"), ==, 0);
}

/* Starts the run, or goes on with it, and kills it once the ledger has grown by @lines. */
static void kill_after(const Place *place, guint lines)
{
    static const char *const first[] = {"train.steps=400", NULL};
    static const char *const again[] = {"train.steps=400", "--resume", NULL};
    const char *const *arguments = place_has(place, "runs/t") ? again : first;
    g_assert_cmpint(place_interrupt(place, SIGKILL, lines, arguments), ==, -SIGKILL);
}

/* Killed five times: every step that was begun is on the ledger, and the claim keeps the target. */
static void test_kill(Place *place, gconstpointer backend)
{
    for (int i = 0; i < 5; i++)
        kill_after(place, (guint)g_test_rand_int_range(1, 40));
    RUN(place, 0, "RESULT", "train.steps=400", "--resume");
    g_autofree char *path = place_path(place, "runs/t/release/ledger.jsonl");
    g_autofree char *card = place_read(place, "runs/t/release/privacy.md", NULL);
    g_autoptr(DpcxrLedger) ledger = dpcxr_ledger_read(path, NULL);
    g_assert_nonnull(ledger);
    g_test_message("%" G_GUINT64_FORMAT " steps charged in %" G_GUINT64_FORMAT " processes",
                   dpcxr_ledger_steps(ledger), dpcxr_ledger_processes(ledger));
    g_assert_cmpuint(dpcxr_ledger_steps(ledger), >=, 390);
    g_assert_cmpuint(dpcxr_ledger_processes(ledger), ==, 6);
    g_assert_nonnull(strstr(card, "400 planned"));
}

static gint64 card_count(const Place *place, const char *key)
{
    g_autofree char *card = place_read(place, "runs/t/release/privacy.json", NULL), *name = g_strdup_printf("\"%s\" :", key);
    const char *at = strstr(card, name);
    g_assert_nonnull(at);
    return g_ascii_strtoll(at + strlen(name), NULL, 10);
}

/* Each sampler from end to end, for patients and for images. */
static void test_samplers(Place *place, gconstpointer backend)
{
    static const char *const samplers[] = {"truncated_poisson", "{type: truncated_poisson, cap: 14}", "fixed", "shuffle"};
    static const char *const says[] = {"at most 3", "at most 14 units a step", "12 of ", "epochs of "};
    for (gsize i = 0; i < G_N_ELEMENTS(samplers); i++) {
        g_autofree char *name = g_strdup_printf("name=s%zu", i), *image = g_strdup_printf("name=i%zu", i);
        g_autofree char *sampler = g_strconcat("privacy.sampler=", samplers[i], NULL);
        RUN(place, 0, "epsilon=8.00", name, sampler);
        RUN(place, 0, says[i], "--dry-run", sampler);
        RUN(place, 0, "unit=image", image, sampler, "privacy.unit=image");
        RUN(place, 4, i < 3 ? "accountant rdp" : "zero_out or replace_one", "name=n", sampler,
            i < 3 ? "privacy.accountant.type=gaussian" : "privacy.adjacency=add_remove");
        RUN(place, 4, i < 2 ? "at most as many" : NULL, "--dry-run", sampler, "privacy.population=20",
            i < 2 ? "privacy.adjacency=add_remove" : "train.batch.logical=9");
        RUN(place, 4, "exactly as many", "--dry-run", sampler, "privacy.population=200");
    }
    RUN(place, 0, "epsilon=8.00", "name=a", "privacy.sampler=truncated_poisson", "privacy.adjacency=add_remove",
        "privacy.population=200");
    RUN(place, 0, "epsilon=8.00", "name=r", "privacy.sampler=fixed", "privacy.adjacency=replace_one");
    RUN(place, 0, "epsilon=8.00", "name=g", "privacy.sampler=shuffle", "privacy.accountant={type: gaussian}");
}

/* Killed three times: each process begins a permutation, and so an epoch, of its own; all that were begun are charged whole,
 * and the claim keeps the target. */
static void test_shuffle_kill(Place *place, gconstpointer backend)
{
    static const char *const first[] = {"train.steps=300", "privacy.sampler=shuffle", NULL};
    static const char *const again[] = {"train.steps=300", "privacy.sampler=shuffle", "--resume", NULL};
    for (int i = 0; i < 3; i++) {
        guint before = place_lines(place, "runs/t/private/ledger.jsonl");
        GSubprocess *process = place_start(place, i ? again : first);
        for (int k = 0; k < 30000 && place_lines(place, "runs/t/private/ledger.jsonl") < before + 4; k++)
            g_usleep(1000);
        g_usleep(1000 * (gulong)g_test_rand_int_range(0, 8));
        g_subprocess_send_signal(process, SIGKILL);
        g_assert_cmpint(place_finish(process, NULL), ==, -SIGKILL);
    }
    place_run(place, 0, "RESULT", again);
    g_autofree char *path = place_path(place, "runs/t/release/ledger.jsonl");
    g_autoptr(DpcxrLedger) ledger = dpcxr_ledger_read(path, NULL);
    const DpcxrMechanism *mechanism = dpcxr_ledger_mechanism(ledger);
    g_assert_cmpuint(mechanism->n_events, ==, 1);
    gint64 epoch = card_count(place, "epoch_steps"), done = card_count(place, "done"), lost = card_count(place, "lost");
    gint64 recorded = card_count(place, "recorded");
    g_test_message("epochs of %ld steps: %ld done, %ld lost, %ld charged", (long)epoch, (long)done, (long)lost, (long)recorded);
    g_assert_cmpint(epoch, ==, (mechanism->events[0].population + 11) / 12);
    g_assert_cmpuint(dpcxr_ledger_processes(ledger), ==, 4);
    g_assert_cmpint(recorded, ==, dpcxr_ledger_steps(ledger));
    g_assert_cmpint(recorded % epoch, ==, 0);
    g_assert_cmpint(recorded, ==, (done + epoch - 1) / epoch * epoch + lost);
    g_assert_cmpint(recorded, <=, (300 + epoch - 1) / epoch * epoch); /* the noise was calibrated to so many */
    g_assert_cmpint(done, <=, 300);
    g_assert_cmpint(done, >=, 300 - 4 * epoch);
}

/* Every process begins with the first batch of a permutation, wherever the one before stopped: the last, smaller batch of an
 * epoch comes as many steps after its start as an epoch has. */
static void test_shuffle_resume(Place *place, gconstpointer backend)
{
    static const char *const first[] = {"train.steps=300", "privacy.sampler=shuffle", "privacy.epsilon=100", NULL};
    static const char *const again[] = {"train.steps=300", "privacy.sampler=shuffle", "privacy.epsilon=100", "--resume", NULL};
    g_assert_cmpint(place_interrupt(place, SIGTERM, 6, first), ==, 75);
    g_autoptr(GArray) before = metric(place, "train_units");
    place_run(place, 0, "RESULT", again);
    g_autoptr(GArray) after = metric(place, "train_units");
    gint64 epoch = card_count(place, "epoch_steps"), rest = card_count(place, "population") % 12;
    g_assert_cmpint(rest, >, 0);
    g_test_message("stopped after %u steps, epochs of %ld", before->len, (long)epoch);
    for (guint i = 0; i < after->len; i++) {
        guint since = i < before->len ? i : i - before->len;
        g_assert_cmpfloat(g_array_index(after, double, i), ==, (since + 1) % epoch == 0 ? (double)rest : 12);
    }
}

/* Seeded, in the middle of an epoch: stopped and resumed equals never stopped, to the bit. */
static void test_shuffle_exact(Place *place, gconstpointer backend)
{
    static const char *const whole[] = {"privacy.noise={source: seeded}", "train.steps=60", "privacy.sampler=shuffle",
                                        "name=whole", NULL};
    static const char *const stopped[] = {"privacy.noise={source: seeded}", "train.steps=60", "privacy.sampler=shuffle", NULL};
    place_run(place, 0, "epsilon=none", whole);
    int status = place_interrupt(place, SIGTERM, 6, stopped);
    if (status == 0)
        g_test_skip("the run ended before the signal came");
    else
        g_assert_cmpint(status, ==, 75);
    RUN(place, 0, "epsilon=none", stopped[0], stopped[1], stopped[2], "--resume");
    g_assert_cmpfloat(place_distance(place, "runs/t/private/model.safetensors", "runs/whole/private/model.safetensors"), ==, 0);
}

/* What may not change under a run, and what must not be missing. */
static void test_resume_refusals(Place *place, gconstpointer backend)
{
    g_assert_cmpint(place_interrupt(place, SIGHUP, 6, (const char *const[]){"train.steps=200", NULL}), ==, 75);
    RUN(place, 4, "the section \"privacy\"", "train.steps=200", "privacy.epsilon=9", "--resume");
    RUN(place, 4, "the section \"data\"", "train.steps=200", "data.patients=130", "--resume");
    RUN(place, 4, "the section \"train\"", "train.steps=201", "--resume");
    RUN(place, 2, "nothing to resume", "train.steps=200", "name=other", "--resume");
    g_autofree char *ledger = place_path(place, "runs/t/private/ledger.jsonl"), *kept = place_path(place, "kept");
    g_autofree char *content = NULL;
    gsize length;
    g_assert_true(g_file_get_contents(ledger, &content, &length, NULL));
    g_assert_cmpint(g_rename(ledger, kept), ==, 0);
    RUN(place, 4, "what was spent is not known", "train.steps=200", "--resume");
    char *second_last = content + length - 2;
    while (second_last > content && second_last[-1] != '\n')
        second_last--;
    g_assert_true(g_file_set_contents(ledger, content, second_last - content, NULL));
    RUN(place, 4, "newer than the ledger", "train.steps=200", "--resume");
    content[length / 2] ^= 1;
    g_assert_true(g_file_set_contents(ledger, content, (gssize)length, NULL));
    RUN(place, 4, "ledger.jsonl", "train.steps=200", "--resume");
}

/* Epsilon of run t by its own accountant, as `dpcxr account` says it. */
static double accounted(const Place *place, char **said)
{
    g_autofree char *folder = place_path(place, "runs/t"), *output = NULL;
    g_autoptr(GSubprocess) process =
        g_subprocess_new(G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_MERGE, NULL, program, "account", folder,
                         "--accountant", "rdp", NULL);
    g_assert_nonnull(process);
    g_assert_true(g_subprocess_communicate_utf8(process, NULL, NULL, &output, NULL, NULL));
    g_assert_cmpint(g_subprocess_get_exit_status(process), ==, 0);
    const char *row = strstr(output, "\nrdp ");
    g_assert_nonnull(row);
    double epsilon = g_ascii_strtod(row + strlen("\nrdp "), NULL);
    if (said)
        *said = g_steal_pointer(&output);
    return epsilon;
}

static double claimed(const Place *place)
{
    g_autofree char *card = place_read(place, "runs/t/release/privacy.json", NULL);
    const char *epsilon = strstr(card, "\"epsilon\" : ");
    g_assert_nonnull(epsilon);
    return g_ascii_strtod(epsilon + strlen("\"epsilon\" : "), NULL);
}

/* Stopped after a few steps by somebody who may have seen its curves, and left: what is accounted is what the run was
 * calibrated to, not what those steps cost. Lost steps do not lower it, and the finished run claims the same. */
static void test_stopped(Place *place, gconstpointer schedule)
{
    const char *const arguments[] = {schedule, "train.steps=200", NULL};
    g_autofree char *said = NULL;
    g_assert_cmpint(place_interrupt(place, SIGTERM, 6, arguments), ==, 75);
    g_autofree char *path = place_path(place, "runs/t/private/ledger.jsonl");
    g_autoptr(DpcxrLedger) ledger = dpcxr_ledger_read(path, NULL);
    g_assert_cmpuint(dpcxr_ledger_steps(ledger), <, 150);
    g_assert_cmpfloat_with_epsilon(accounted(place, &said), 8, 1e-3);
    g_autofree char *rest = g_strdup_printf("and %d steps that were planned", 200 - (int)dpcxr_ledger_steps(ledger));
    g_assert_nonnull(strstr(said, rest));
    g_assert_nonnull(strstr(said, "whoever stops a run may have seen"));
    g_assert_false(place_has(place, "runs/t/release"));

    const char *const again[] = {schedule, "train.steps=200", "--resume", NULL};
    g_assert_cmpint(place_interrupt(place, SIGKILL, 8, again), ==, -SIGKILL);
    double left = accounted(place, NULL);
    g_assert_cmpfloat(left, <=, 8);
    g_assert_cmpfloat(left, >=, 7.6); /* after lost steps the last one that would fit is missing */
    RUN(place, 0, "RESULT", schedule, "train.steps=200", "--resume");
    g_assert_cmpfloat(claimed(place), <=, 8);
    g_assert_cmpfloat_with_epsilon(accounted(place, NULL), claimed(place), 1e-5);
}

/* Views of an image share its weight: the physical batch still changes nothing, whatever the clipping; and no step, no unit
 * and no epsilon is more for them. */
static void test_views(Place *place, gconstpointer backend)
{
    static const char *const types[] = {"flat", "per_layer", "automatic", "normalise", "adaptive"};
    static const char *const sizes[] = {"64", "3"};
    for (gsize i = 0; i < G_N_ELEMENTS(types); i++) {
        g_autofree char *clip = g_strdup_printf("privacy.clip.type=%s", types[i]);
        char *models[2];
        for (gsize k = 0; k < 2; k++) {
            g_autofree char *name = g_strdup_printf("name=%s-%s", types[i], sizes[k]);
            g_autofree char *physical = g_strdup_printf("train.batch.physical=%s", sizes[k]);
            RUN(place, 0, "epsilon=none", name, clip, physical, "privacy.noise={source: seeded}", "train.steps=3",
                "train.augment_multiplicity=3", "optimizer={type: sgd, lr: 0.1}", "device.type=ref");
            models[k] = g_strdup_printf("runs/%s-%s/private/model.safetensors", types[i], sizes[k]);
        }
        g_assert_cmpfloat(place_distance(place, models[0], models[1]), <, 1e-5);
        g_free(models[0]);
        g_free(models[1]);
    }
    RUN(place, 0, "views      2 of each drawn image", "train.augment_multiplicity=2");
    RUN(place, 0, "RESULT", "name=once");
    g_autofree char *many = place_read(place, "runs/t/private/ledger.jsonl", NULL);
    g_autofree char *once = place_read(place, "runs/once/private/ledger.jsonl", NULL);
    g_assert_cmpuint(place_lines(place, "runs/t/private/ledger.jsonl"), ==, place_lines(place, "runs/once/private/ledger.jsonl"));
    const char *a = strstr(many, "\"sampling_rate\""), *b = strstr(once, "\"sampling_rate\"");
    g_assert_cmpmem(a, strcspn(a, "}") - 67, b, strcspn(b, "}") - 67); /* up to the hash: rate, noise, population, cap */
    g_autofree char *card = place_read(place, "runs/t/release/privacy.md", NULL);
    g_assert_nonnull(strstr(card, "in 2 augmented views"));
}

/* Adaptive clipping takes a noise schedule, and shares out each step's own noise. */
static void test_adaptive_schedule(Place *place, gconstpointer backend)
{
    static const char schedule[] = "privacy.noise.schedule={type: cosine, initial_factor: 2, final_factor: 0.5}";
    RUN(place, 0, "epsilon=8.00", "privacy.clip={type: adaptive, count_noise: 3}", schedule);
    RUN(place, 4, "nothing is left for the gradient", "privacy.clip={type: adaptive, count_noise: 0.5}", schedule,
        "privacy.epsilon=null", "privacy.noise_multiplier=0.6", "name=n");
    RUN(place, 0, "RESULT", "privacy.clip={type: adaptive, count_noise: 0.5}", "privacy.epsilon=null",
        "privacy.noise_multiplier=0.6", "name=n");
    RUN(place, 2, "adaptive clipping finds its norm itself",
        "privacy.clip={type: adaptive, schedule: {type: linear, final_factor: 0.5}}", "name=o");
}

static void write_table(const Place *place, int rows)
{
    g_autoptr(GString) table = g_string_new("id,path,patient_id,split,mass\n");
    g_autofree char *path = place_path(place, "table.csv");
    g_autofree char *image = g_build_filename(g_getenv("DPCXR_TEST_DATA"), "table", "images", "a.png", NULL);
    for (int i = 0; i < rows; i++)
        g_string_append_printf(table, "%d,%s,p%d,%s,%d\n", i, image, i, i < 3 ? "test" : "train", i % 2);
    g_assert_true(g_file_set_contents(path, table->str, -1, NULL));
}

/* Killed before its first checkpoint: the data are known all the same. */
static void test_changed_data(Place *place, gconstpointer backend)
{
    static const char *const first[] = {
        "data={type: table, root: ., index: table.csv, sample_column: id, labels: [mass], image: {size: 16}}",
        "train={steps: 100000, batch: {logical: 4}, checkpoint: {every_minutes: 60}}", "privacy.delta=1e-3", NULL};
    write_table(place, 40);
    GSubprocess *process = place_start(place, first);
    for (int i = 0; i < 2000 && !place_has(place, "runs/t/private/metrics.jsonl"); i++)
        g_usleep(5000);
    g_subprocess_send_signal(process, SIGKILL);
    g_assert_cmpint(place_finish(process, NULL), ==, -SIGKILL);
    g_assert_true(place_has(place, "runs/t/private/ledger.jsonl"));
    write_table(place, 41);
    RUN(place, 4, "the index has changed", first[0], first[1], first[2], "--resume");
    g_autofree char *digest = place_path(place, "runs/t/private/index.sha256");
    g_assert_cmpint(g_remove(digest), ==, 0);
    RUN(place, 4, "another number of units", first[0], first[1], first[2], "--resume");
}

/* What a run refuses before its first step, a dry run and `check --data` refuse, too. */
static void test_agreement(Place *place, gconstpointer backend)
{
    static const char *const cases[] = {"privacy.delta=0.1", "train.batch.logical=4000"};
    static const int wanted[] = {4, 2};
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        RUN(place, wanted[i], NULL, cases[i]);
        RUN(place, wanted[i], NULL, cases[i], "--dry-run");
        g_free(check(place, wanted[i], cases[i], "--data"));
    }
    static const char *const table = "data={type: table, root: ., index: table.csv, sample_column: id, "
                                     "patient_column: split_patient, labels: [mass], image: {size: 16}}";
    g_autofree char *path = place_path(place, "table.csv");
    g_autofree char *image = g_build_filename(g_getenv("DPCXR_TEST_DATA"), "table", "images", "a.png", NULL);
    g_autofree char *text = g_strdup_printf("id,path,split_patient,split,mass\n1,%s,p,train,1\n2,%s,q,train,0\n"
                                            "3,%s,p,test,1\n", image, image, image);
    g_assert_true(g_file_set_contents(path, text, -1, NULL));
    RUN(place, 3, "with the data set", table, "train={steps: 2, batch: {logical: 1}}");
    RUN(place, 3, "with the data set", table, "train={steps: 2, batch: {logical: 1}}", "--dry-run");
    g_assert_false(place_has(place, "runs"));
}

/* 1/N is about the units there are: declaring fewer of them does not allow a larger delta. */
static void test_delta(Place *place, gconstpointer backend)
{
    RUN(place, 4, "is not below 1/N", "--dry-run", "privacy.delta=0.02");
    RUN(place, 4, "is not below 1/N", "--dry-run", "privacy.delta=0.02", "privacy.population=20");
    RUN(place, 0, "noise multiplier", "--dry-run", "privacy.delta=0.02", "privacy.unsafe_delta=true");
    RUN(place, 0, "at delta 0.00123456321 after", "--dry-run", "privacy.delta=1.23456321e-3");
    RUN(place, 0, " delta=0.00123456321 unit", "--quiet", "privacy.delta=1.23456321e-3", "train.steps=2");
}

static void test_dry_run(Place *place, gconstpointer backend)
{
    RUN(place, 0, "noise multiplier", "--dry-run");
    g_assert_false(place_has(place, "runs"));
    RUN(place, 4, "delta", "--dry-run", "privacy.delta=0.1");
}

/* A split that was not evaluated is, later: without a step, and with what was claimed as it is. */
static void test_evaluate_later(Place *place, gconstpointer backend)
{
    RUN(place, 0, "RESULT auroc=none epsilon=8.00", "evaluate.splits=[valid]");
    gsize length, again_length;
    g_autofree char *card = place_read(place, "runs/t/release/privacy.json", &length);
    g_autofree char *scores = place_read(place, "runs/t/private/predictions-valid.csv", NULL);
    guint lines = place_lines(place, "runs/t/private/ledger.jsonl"),
          steps = place_lines(place, "runs/t/private/metrics.jsonl");
    RUN(place, 0, "nothing is left to do", "evaluate.splits=[valid]", "--resume");
    g_assert_false(place_has(place, "runs/t/private/predictions-test.csv"));
    /* What an evaluation that was cut short has left is no evaluation. */
    g_autofree char *left = place_path(place, "runs/t/private/predictions-test.csv");
    g_assert_true(g_file_set_contents(left, scores, -1, NULL));
    RUN(place, 0, "RESULT auroc=0.", "--resume");
    g_assert_true(place_has(place, "runs/t/private/predictions-test.csv"));
    RUN(place, 0, "nothing is left to do\nRESULT auroc=0.", "--resume");
    g_autofree char *card_again = place_read(place, "runs/t/release/privacy.json", &again_length);
    g_autofree char *scores_again = place_read(place, "runs/t/private/predictions-valid.csv", NULL);
    g_assert_cmpmem(card, length, card_again, again_length);
    g_assert_cmpstr(scores, ==, scores_again);
    g_assert_cmpuint(place_lines(place, "runs/t/private/ledger.jsonl"), ==, lines);
    g_assert_cmpuint(place_lines(place, "runs/t/private/metrics.jsonl"), ==, steps);
    g_autofree char *config = place_read(place, "runs/t/private/config.yaml", NULL);
    g_assert_nonnull(strstr(config, "splits: [valid, test]"));
    g_autofree char *done = place_read(place, "runs/t/DONE", NULL);
    g_assert_nonnull(strstr(done, "epsilon=8.00 delta=0.001 unit=patient accountant=rdp run="));
    RUN(place, 4, "the section \"train\"", "train.steps=13", "--resume");
}

#define ADD(path, function, backend) g_test_add("/run/" path, Place, backend, place_open, function, place_close)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    program = g_build_filename(g_getenv("DPCXR_BUILD"), "dpcxr", NULL);
    ADD("folder", test_folder, NULL);
    ADD("evaluate-later", test_evaluate_later, NULL);
    ADD("voids", test_voids, NULL);
    ADD("dry-run", test_dry_run, NULL);
    ADD("delta", test_delta, NULL);
    ADD("agreement", test_agreement, NULL);
    ADD("physical-batch/ref", test_physical_batch, "ref");
    ADD("physical-batch/auto", test_physical_batch, "auto");
    ADD("grid/ref", test_grid, "ref");
    ADD("grid/auto", test_grid, NULL);
    ADD("clipping", test_clipping, NULL);
    ADD("adaptive-clipping", test_adaptive_clipping, NULL);
    ADD("private-counts", test_private_counts, NULL);
    ADD("average/ref", test_average, "ref");
    ADD("average/auto", test_average, NULL);
    ADD("empty-batches", test_empty_batches, NULL);
    ADD("resume-exact/ref", test_resume_exact, "ref");
    ADD("resume-exact/auto", test_resume_exact, "auto");
    ADD("resume-exact/schedules", test_resume_exact,
        "privacy={epsilon: 8, delta: 1e-3, clip: {schedule: {type: cosine, final_factor: 0.3}}, "
        "noise: {source: seeded, schedule: {type: exponential, initial_factor: 2, final_factor: 0.6}}}");
    ADD("resume-exact/grid", test_resume_exact, "privacy.noise.type=grid");
    ADD("kill", test_kill, NULL);
    ADD("samplers", test_samplers, NULL);
    ADD("shuffle-kill", test_shuffle_kill, NULL);
    ADD("shuffle-resume", test_shuffle_resume, NULL);
    ADD("shuffle-exact/ref", test_shuffle_exact, "ref");
    ADD("shuffle-exact/auto", test_shuffle_exact, NULL);
    ADD("stopped/constant", test_stopped, "privacy.noise.schedule=constant");
    ADD("stopped/schedule", test_stopped,
        "privacy.noise.schedule={type: linear, initial_factor: 2, final_factor: 0.6, levels: 5}");
    ADD("views", test_views, NULL);
    ADD("adaptive-schedule", test_adaptive_schedule, NULL);
    ADD("resume-refusals", test_resume_refusals, NULL);
    ADD("changed-data", test_changed_data, NULL);
    int status = g_test_run();
    g_free(program);
    return status;
}
