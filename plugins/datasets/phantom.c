/* SPDX-License-Identifier: MIT
 * The embedded data set: stylised chest radiographs, drawn when they are asked for. Patients have an age, a
 * sex, an anatomy and up to eight findings; their one to four images differ in pose, breath and exposure. As
 * in a real film, the patient's right is on the left of the image, and what attenuates is bright.
 *
 * Everything follows from (seed, patient, image), in any order and from any thread, and is the same to the
 * bit on every machine: only + - * / and sqrt on floats and integer randomness; no libm, no contraction
 * (meson.build turns it off), and no two draws in one expression, whose order C leaves open.
 *
 * Lengths are in body units: the frame of an average pose is [-1, 1] x [-1, 1], x to the image's right, y
 * down. Attenuation is in units of the thickest soft tissue. The numbers are drawn by eye, not measured. */
#include <dpcxr/dpcxr.h>
#include <float.h>
#include <math.h>

/* Wider intermediate results (x87) would change bits; 16 is 0 on processors that have half precision. */
G_STATIC_ASSERT(FLT_EVAL_METHOD == 0 || FLT_EVAL_METHOD == 16);

static const DpcxrOptionSpec options[] = {
    {"patients", DPCXR_OPTION_INT, "4000", 100, 1000000, NULL, NULL, "Patients, with 1 to 4 images each"},
    {"seed", DPCXR_OPTION_INT, "1", 0, 9007199254740992.0, NULL, NULL, "Other seeds are other patients"},
    {"size", DPCXR_OPTION_INT, "128", 32, 2048, NULL, "pixels", "Width and height of the drawn images"},
    {"prevalence", DPCXR_OPTION_NUMBER, "1", 0, 2, NULL, NULL, "Factor on how common the findings are"},
    {"difficulty", DPCXR_OPTION_NUMBER, "0.5", 0, 1, NULL, NULL,
     "0: findings are plain; 1: as slight as what looks alike in healthy lungs"},
    {"unknown", DPCXR_OPTION_NUMBER, "0.04", 0, 1, NULL, NULL,
     "Share of labels that are not known, half of them uncertain and half missing"},
    {NULL},
};

/* --- Findings --- */

enum { RIGHT, LEFT, SIDES }; /* of the patient */

/* Two-sided findings are numbered FINDING + side. */
enum {
    CARDIOMEGALY,
    CONGESTION,
    EFFUSION,
    INFILTRATES = EFFUSION + SIDES,
    ATELECTASIS = INFILTRATES + SIDES,
    FINDINGS = ATELECTASIS + SIDES
};

static const char *const finding_names[FINDINGS] = {"cardiomegaly",
                                                    "congestion",
                                                    "pleural_effusion_right",
                                                    "pleural_effusion_left",
                                                    "pneumonic_infiltrates_right",
                                                    "pneumonic_infiltrates_left",
                                                    "atelectasis_right",
                                                    "atelectasis_left"};

static const char *const column_names[] = {"age", "sex", "view", NULL};

typedef struct {
    guint64 seed;
    guint32 patients;
    int size;
    double prevalence, difficulty, unknown;
    GArray *rows; /* of Row, parallel to the index */
} Phantom;

typedef struct {
    guint32 patient, image;
} Row;

typedef struct {
    int age; /* years */
    gboolean female;
    guint32 images;
    gboolean present[FINDINGS];
    float severity[FINDINGS]; /* [0, 1], as drawn; a little also where the finding is not present */
    float width;              /* of the chest, from the midline to the inner chest wall */
    float heart;              /* factor on its size, findings included */
    float dome[SIDES];        /* y of the diaphragm's top at full breath */
    float rib_spacing, rib_phase, aorta, breast, thickness;
} Patient;

typedef struct {
    gboolean ap;    /* taken from the front, lying: a larger heart, less breath, more sickness, cables */
    float cos, sin; /* of the tilt */
    float scale, x, y;
    float breath; /* how far the diaphragm stands above full breath */
    float exposure, contrast, noise;
} View;

/* --- Small numbers --- */

static float between(DpcxrRandom *random, float low, float high)
{
    return low + (high - low) * (float)dpcxr_random_uniform(random);
}

/* Bell-shaped around 0, within (-1, 1), standard deviation 1/3. */
static float spread(DpcxrRandom *random)
{
    double sum = 0;
    for (int i = 0; i < 3; i++)
        sum += dpcxr_random_uniform(random);
    return (float)(sum * (2 / 3.0) - 1);
}

static gboolean chance(DpcxrRandom *random, double probability)
{
    return dpcxr_random_uniform(random) < MIN(probability, 0.95);
}

/* From 0 to 1 while @distance goes from -@softness to +@softness, with level ends. */
static float edge(float distance, float softness)
{
    float t = CLAMP(distance * (0.5f / softness) + 0.5f, 0.0f, 1.0f);
    return t * t * (3 - 2 * t);
}

static float square(float x)
{
    return x * x;
}

/* 1 at 0, 0 from 1 on. @q: a squared distance. */
static float bump(float q)
{
    return q < 1 ? square(1 - q) : 0;
}

/* --- Patients --- */

/* Age makes all likelier; a large heart brings congestion, that effusions, these atelectasis. */
static void choose_findings(const Phantom *phantom, double age, gboolean *present, DpcxrRandom *random)
{
    double scale = phantom->prevalence;
    present[CARDIOMEGALY] = chance(random, scale * (0.12 + 0.55 * age));
    present[CONGESTION] = chance(random, scale * (0.06 + 0.16 * age + (present[CARDIOMEGALY] ? 0.28 : 0)));
    for (int side = 0; side < SIDES; side++) {
        gboolean other = side == LEFT;
        double effusion = 0.04 + 0.14 * age + (present[CONGESTION] ? 0.28 : 0);
        double infiltrates = (side == RIGHT ? 0.10 : 0.07) + 0.18 * age;
        if (other && present[EFFUSION + RIGHT])
            effusion += 0.25;
        if (other && present[INFILTRATES + RIGHT])
            infiltrates += 0.20;
        present[EFFUSION + side] = chance(random, scale * effusion);
        present[INFILTRATES + side] = chance(random, scale * infiltrates);
        double atelectasis = 0.07 + 0.14 * age + (present[EFFUSION + side] ? 0.22 : 0);
        present[ATELECTASIS + side] = chance(random, scale * atelectasis);
    }
}

/* Slight cases overlap with what is seen in some who were read as healthy. */
static float choose_severity(const Phantom *phantom, gboolean present, DpcxrRandom *random)
{
    float u = (float)dpcxr_random_uniform(random);
    gboolean mimic = chance(random, 0.36 * phantom->difficulty);
    float least = 0.65f - 0.6f * (float)phantom->difficulty;

    if (present)
        return least + (1 - least) * u;
    return mimic ? u : 0;
}

static void make_patient(const Phantom *phantom, guint32 number, Patient *patient)
{
    DpcxrRandom random;
    dpcxr_random_init(&random, phantom->seed, "phantom patient", number, 0);

    double old = dpcxr_random_uniform(&random), older = dpcxr_random_uniform(&random);
    double age = (MAX(old, older) + dpcxr_random_uniform(&random)) / 2;
    patient->age = 18 + (int)(78 * age);
    patient->female = chance(&random, 0.45);
    guint64 few = dpcxr_random_below(&random, 4), fewer = dpcxr_random_below(&random, 4);
    patient->images = 1 + (guint32)MIN(few, fewer);

    choose_findings(phantom, age, patient->present, &random);
    for (int i = 0; i < FINDINGS; i++)
        patient->severity[i] = choose_severity(phantom, patient->present[i], &random);

    patient->width = (patient->female ? 0.68f : 0.72f) + 0.05f * spread(&random);
    patient->heart = 0.86f + 0.12f * spread(&random) + 0.46f * patient->severity[CARDIOMEGALY];
    patient->dome[RIGHT] = 0.42f + 0.07f * spread(&random) - 0.14f * patient->severity[ATELECTASIS + RIGHT];
    patient->dome[LEFT] = patient->dome[RIGHT] + 0.05f + 0.04f * spread(&random) -
                          0.14f * patient->severity[ATELECTASIS + LEFT];
    patient->rib_spacing = 0.145f + 0.015f * spread(&random);
    patient->rib_phase = between(&random, 0, 1);
    patient->aorta = 0.5f + 0.6f * (float)age + 0.2f * spread(&random);
    patient->breast = patient->female ? between(&random, 0.3f, 1) : 0;
    patient->thickness = 1 + 0.15f * spread(&random);
}

static DpcxrSplit split_of(const Phantom *phantom, guint32 number)
{
    DpcxrRandom random;
    dpcxr_random_init(&random, phantom->seed, "phantom split", number, 0);
    guint64 tenth = dpcxr_random_below(&random, 10);
    return tenth < 7 ? DPCXR_SPLIT_TRAIN : tenth < 8 ? DPCXR_SPLIT_VALID : DPCXR_SPLIT_TEST;
}

static void make_view(const Phantom *phantom, const Patient *patient, const Row *row, View *view)
{
    DpcxrRandom random;
    dpcxr_random_init(&random, phantom->seed, "phantom view", row->patient, row->image);

    gboolean ill =
        patient->present[CONGESTION] || patient->present[EFFUSION] || patient->present[EFFUSION + 1];
    view->ap = chance(&random, ill ? 0.6 : 0.35);
    /* The tangent of half the tilt gives its sine and cosine without libm; 0.05 is about 6 degrees. */
    float half = 0.05f * spread(&random);
    view->cos = (1 - half * half) / (1 + half * half);
    view->sin = 2 * half / (1 + half * half);
    view->scale = 1.14f + 0.10f * spread(&random);
    view->x = 0.10f * spread(&random);
    view->y = 0.05f + 0.08f * spread(&random);
    view->breath = between(&random, 0, 0.08f) + (view->ap ? 0.06f : 0);
    view->exposure = 1 + 0.18f * spread(&random);
    view->contrast = 1 + 0.15f * spread(&random);
    view->noise = between(&random, 0.015f, 0.035f);
}

/* --- Canvas --- */

/* Two layers of small things, in attenuation: what is seen in aerated lung only, and what everywhere. */
typedef enum { IN_LUNG, EVERYWHERE, LAYERS } Layer;

typedef struct {
    float x, y;
} Point;

typedef struct {
    const View *view;
    int size;
    Point origin, right, down; /* the first pixel's centre and the steps to its neighbours, in body units */
    float *layer[LAYERS];      /* [size, size] */
} Canvas;

/* @layers: [LAYERS, size, size], zeroed; borrowed. */
static void prepare_canvas(Canvas *canvas, const View *view, int size, float *layers)
{
    float step = 2 / (size * view->scale);
    float u = (1.0f / size - 1 - view->x) / view->scale, v = (1.0f / size - 1 - view->y) / view->scale;

    canvas->view = view;
    canvas->size = size;
    canvas->origin = (Point){view->cos * u + view->sin * v, view->cos * v - view->sin * u};
    canvas->right = (Point){view->cos * step, -view->sin * step};
    canvas->down = (Point){view->sin * step, view->cos * step};
    for (int i = 0; i < LAYERS; i++)
        canvas->layer[i] = layers + (gsize)i * size * size;
}

static Point to_body(const Canvas *canvas, int column, int row)
{
    const Point *o = &canvas->origin, *r = &canvas->right, *d = &canvas->down;
    return (Point){o->x + column * r->x + row * d->x, o->y + column * r->y + row * d->y};
}

static Point to_pixels(const Canvas *canvas, Point p)
{
    const View *view = canvas->view;
    float u = (view->cos * p.x - view->sin * p.y) * view->scale + view->x;
    float v = (view->sin * p.x + view->cos * p.y) * view->scale + view->y;
    return (Point){(u + 1) * 0.5f * canvas->size - 0.5f, (v + 1) * 0.5f * canvas->size - 0.5f};
}

typedef struct {
    int left, top, right, bottom; /* pixels, the last ones excluded */
} Box;

/* The pixels that may lie within @reach of the line from @a to @b. */
static Box box_around(const Canvas *canvas, Point a, Point b, float reach)
{
    Point p = to_pixels(canvas, a), q = to_pixels(canvas, b);
    float r = reach * canvas->view->scale * 0.5f * canvas->size + 1, most = (float)canvas->size;
    return (Box){(int)CLAMP(MIN(p.x, q.x) - r, 0, most), (int)CLAMP(MIN(p.y, q.y) - r, 0, most),
                 (int)CLAMP(MAX(p.x, q.x) + r + 1, 0, most), (int)CLAMP(MAX(p.y, q.y) + r + 1, 0, most)};
}

/* Adds a soft ellipse with half axes @rx, @ry. */
static void draw_blob(Canvas *canvas, Layer layer, Point centre, float rx, float ry, float amount)
{
    Box box = box_around(canvas, centre, centre, MAX(rx, ry));
    float x_scale = 1 / rx, y_scale = 1 / ry;

    for (int row = box.top; row < box.bottom; row++) {
        for (int column = box.left; column < box.right; column++) {
            Point p = to_body(canvas, column, row);
            float q = square((p.x - centre.x) * x_scale) + square((p.y - centre.y) * y_scale);
            canvas->layer[layer][row * canvas->size + column] += amount * bump(q);
        }
    }
}

/* Adds a line of half width @width from @a to @b, where the share @taper of width and amount is left. */
static void draw_line(Canvas *canvas, Layer layer, Point a, Point b, float width, float amount, float taper)
{
    /* Thinner than a pixel, it is drawn a pixel wide and fainter. */
    float finest = 1.5f / (canvas->size * canvas->view->scale), drawn = MAX(width, finest);
    Box box = box_around(canvas, a, b, drawn);
    Point d = {b.x - a.x, b.y - a.y};
    float per_length2 = 1 / (d.x * d.x + d.y * d.y), per_width2 = 1 / square(drawn);

    amount *= width / drawn;
    for (int row = box.top; row < box.bottom; row++) {
        for (int column = box.left; column < box.right; column++) {
            Point p = to_body(canvas, column, row);
            float along = ((p.x - a.x) * d.x + (p.y - a.y) * d.y) * per_length2;
            along = CLAMP(along, 0.0f, 1.0f);
            float left = 1 - along * (1 - taper);
            float q = (square(p.x - a.x - along * d.x) + square(p.y - a.y - along * d.y)) * per_width2;
            if (q < left * left)
                canvas->layer[layer][row * canvas->size + column] += amount * left * bump(q / (left * left));
        }
    }
}

/* --- Small things: vessels, bones, cables, and most signs --- */

/* @outward: from the midline to the side. */
static Point at(int side, float outward, float y)
{
    return (Point){side == LEFT ? outward : -outward, y};
}

/* Arteries and veins fan out from the hilum and fork. Congestion widens them, in the upper lung most. */
static void draw_vessels(Canvas *canvas, const Patient *patient, int side, DpcxrRandom *random)
{
    float congestion = patient->severity[CONGESTION];
    Point hilum = at(side, 0.19f, side == LEFT ? -0.06f : -0.02f);

    draw_blob(canvas, IN_LUNG, hilum, 0.11f + 0.05f * congestion, 0.16f + 0.05f * congestion,
              0.16f + 0.12f * congestion);
    for (int i = 0; i < 11; i++) {
        float y = -0.62f + 0.1f * i + 0.08f * spread(random), out = 0.44f + 0.16f * spread(random);
        float fork_out = between(random, 0.24f, 0.32f), fork_share = between(random, 0.5f, 0.7f);
        float branch = between(random, -0.16f, 0.16f), swollen = 1 + congestion * (y < 0 ? 0.9f : 0.5f);
        Point root = at(side, 0.15f, hilum.y + (y - hilum.y) * 0.25f);
        Point fork = at(side, fork_out, hilum.y + (y - hilum.y) * fork_share);
        draw_line(canvas, IN_LUNG, root, fork, 0.026f * swollen, 0.07f * swollen, 0.8f);
        draw_line(canvas, IN_LUNG, fork, at(side, out, y), 0.019f * swollen, 0.085f * swollen, 0.4f);
        draw_line(canvas, IN_LUNG, fork, at(side, out + 0.08f, y + branch), 0.016f * swollen, 0.07f * swollen,
                  0.3f);
    }
}

/* Fluid in the tissue: haze around the hilum, like a bat's wings, and Kerley's short lines at the wall. */
static void draw_congestion(Canvas *canvas, const Patient *patient, int side, DpcxrRandom *random)
{
    float severity = patient->severity[CONGESTION];
    draw_blob(canvas, IN_LUNG, at(side, 0.28f, 0), 0.40f, 0.52f, 0.32f * severity);
    for (int i = 0; i < 5; i++) {
        float y = 0.10f + 0.06f * i + 0.02f * spread(random);
        draw_line(canvas, IN_LUNG, at(side, patient->width - 0.02f, y),
                  at(side, patient->width - 0.12f, y - 0.01f), 0.010f, 0.16f * severity, 1);
    }
}

/* A patch of unequal, fuzzy clouds. */
static void draw_infiltrates(Canvas *canvas, float severity, int side, DpcxrRandom *random)
{
    float clear = side == LEFT ? 0.06f : 0; /* of the heart */
    float out = between(random, 0.34f, 0.48f) + clear, y = between(random, -0.25f, 0.25f);

    for (int i = 0; i < 8; i++) {
        float aside = 0.26f * spread(random), below = 0.32f * spread(random);
        float radius = between(random, 0.14f, 0.26f), flatness = between(random, 0.7f, 1);
        float amount = between(random, 0.34f, 0.60f) * severity;
        draw_blob(canvas, IN_LUNG, at(side, out + aside, y + below), radius, radius * flatness, amount);
    }
}

/* Plates: two or three thin, dense, nearly level lines in a lower lung that holds less air around them. */
static void draw_atelectasis(Canvas *canvas, const Patient *patient, int side, DpcxrRandom *random)
{
    float severity = patient->severity[ATELECTASIS + side];
    float base = patient->dome[side] - canvas->view->breath;
    float clear = side == LEFT ? 0.10f : 0; /* of the heart */
    int plates = 2 + (int)dpcxr_random_below(random, 2);

    draw_blob(canvas, IN_LUNG, at(side, 0.46f + clear, base - 0.10f), 0.30f, 0.24f, 0.28f * severity);
    for (int i = 0; i < plates; i++) {
        float y = base - between(random, 0.04f, 0.28f), rise = between(random, -0.10f, 0.06f);
        float out = between(random, 0.20f, 0.30f) + clear, length = between(random, 0.24f, 0.38f);
        float width = between(random, 0.022f, 0.036f);
        draw_line(canvas, IN_LUNG, at(side, out, y), at(side, out + length, y + rise), width, severity, 0.8f);
    }
}

static void draw_bones(Canvas *canvas, const Patient *patient, int side, DpcxrRandom *random)
{
    float lift = canvas->view->ap ? 0.06f : 0, y = -0.62f + 0.03f * spread(random) - lift;
    Point middle = at(side, 0.30f, y - 0.02f + lift * 0.5f);
    draw_line(canvas, EVERYWHERE, at(side, 0.07f, y + 0.04f), middle, 0.034f, 0.22f, 0.8f);
    draw_line(canvas, EVERYWHERE, middle, at(side, 0.66f, y - 0.14f), 0.028f, 0.18f, 1);
    /* The shoulder blade's inner edge; arms held forward (PA) move it off the lung. */
    float out = patient->width - (canvas->view->ap ? 0.10f : -0.05f);
    draw_line(canvas, EVERYWHERE, at(side, out - 0.04f, -0.50f), at(side, out + 0.02f, -0.02f), 0.05f, 0.07f,
              0.6f);
}

/* What lies on and in the patients of a ward: an electrode with its cable, a central venous line. */
static void draw_devices(Canvas *canvas, DpcxrRandom *random)
{
    if (chance(random, 0.4)) {
        int side = (int)dpcxr_random_below(random, SIDES);
        float out = between(random, 0.25f, 0.60f), y = between(random, -0.45f, 0.35f);
        Point electrode = at(side, out, y), end = {electrode.x + between(random, -0.6f, 0.6f), 1.1f};
        draw_blob(canvas, EVERYWHERE, electrode, 0.035f, 0.035f, 0.5f);
        draw_line(canvas, EVERYWHERE, electrode, end, 0.010f, 0.20f, 1);
    }
    if (chance(random, 0.4)) {
        Point bend = at(RIGHT, 0.09f, -0.45f + 0.05f * spread(random));
        Point tip = at(RIGHT, 0.08f, between(random, -0.15f, 0.10f));
        draw_line(canvas, EVERYWHERE, at(RIGHT, 0.17f, -1), bend, 0.012f, 0.20f, 1);
        draw_line(canvas, EVERYWHERE, bend, tip, 0.012f, 0.20f, 1);
    }
}

static void draw_small_things(Canvas *canvas, const Phantom *phantom, const Row *row, const Patient *patient)
{
    DpcxrRandom random; /* of the patient: a finding stays in its place from image to image */
    dpcxr_random_init(&random, phantom->seed, "phantom marks", row->patient, 0);

    for (int side = 0; side < SIDES; side++) {
        draw_vessels(canvas, patient, side, &random);
        draw_congestion(canvas, patient, side, &random);
        draw_infiltrates(canvas, patient->severity[INFILTRATES + side], side, &random);
        draw_atelectasis(canvas, patient, side, &random);
        draw_bones(canvas, patient, side, &random);
    }
    draw_blob(canvas, EVERYWHERE, (Point){0.13f, -0.34f}, 0.10f, 0.12f, 0.30f * patient->aorta);
    if (chance(&random, 0.8)) { /* the stomach's bubble of air, below the left diaphragm */
        float out = between(&random, 0.28f, 0.42f), below = between(&random, 0.14f, 0.22f);
        Point bubble = at(LEFT, out, patient->dome[LEFT] - canvas->view->breath + below);
        draw_blob(canvas, EVERYWHERE, bubble, 0.17f, 0.10f, -0.35f);
    }
    if (canvas->view->ap) {
        dpcxr_random_init(&random, phantom->seed, "phantom devices", row->patient, row->image);
        draw_devices(canvas, &random);
    }
}

/* --- The chest --- */

#define TEXTURE 24 /* lattice of the lung's faint structure */

typedef struct {
    const Patient *patient;
    const View *view;
    float wall, heart, dome[SIDES], texture[TEXTURE][TEXTURE];
} Chest;

static void prepare_chest(Chest *chest, const Phantom *phantom, const Row *row, const Patient *patient,
                          const View *view)
{
    DpcxrRandom random;
    dpcxr_random_init(&random, phantom->seed, "phantom texture", row->patient, 0);
    for (int i = 0; i < TEXTURE; i++)
        for (int k = 0; k < TEXTURE; k++)
            chest->texture[i][k] = spread(&random);
    chest->patient = patient;
    chest->view = view;
    chest->wall = patient->width;
    chest->heart = patient->heart * (view->ap ? 1.08f : 1);
    for (int side = 0; side < SIDES; side++)
        chest->dome[side] = patient->dome[side] - view->breath;
}

/* Bilinear in a lattice over the frame, within (-1, 1). */
static float texture_at(const Chest *chest, Point p)
{
    float u = CLAMP((p.x + 1) * 0.5f * (TEXTURE - 1), 0, TEXTURE - 1.001f);
    float v = CLAMP((p.y + 1) * 0.5f * (TEXTURE - 1), 0, TEXTURE - 1.001f);
    int i = (int)v, k = (int)u;
    float a = v - i, b = u - k;
    return (1 - a) * ((1 - b) * chest->texture[i][k] + b * chest->texture[i][k + 1]) +
           a * ((1 - b) * chest->texture[i + 1][k] + b * chest->texture[i + 1][k + 1]);
}

/* How far out the ribs' inner side is at height @y: an egg, narrow at the top. */
static float wall_at(const Chest *chest, float y)
{
    float t = (y - 0.25f) / 1.08f;
    if (y >= 0.25f)
        return chest->wall * (1 - 0.05f * (y - 0.25f));
    return chest->wall * sqrtf(MAX(1 - t * t, 0.0f));
}

/* Where air ends below: at the diaphragm's dome or, above it, at the meniscus of an effusion, which climbs at
 * the wall. */
static float floor_at(const Chest *chest, int side, float out)
{
    float severity = chest->patient->severity[EFFUSION + side];
    float dome = chest->dome[side] + 1.15f * square(out - 0.33f);
    float level =
        chest->dome[side] + 0.22f - 0.72f * severity + 0.30f * (1 - square(square(out / chest->wall)));
    return MIN(dome, level);
}

/* How much of the way through the chest is aerated lung, 0 to 1. */
static float air_at(const Chest *chest, int side, Point p, float out, float wall)
{
    float upper = 0.11f + 0.03f * edge(p.y + 0.45f, 0.2f);
    return edge(wall - out, 0.025f) * edge(out - upper, 0.03f) *
           edge(floor_at(chest, side, out) - p.y, 0.03f);
}

/* The left ventricle, tilted, and the right atrium beside the spine. */
static float heart_at(const Chest *chest, Point p)
{
    float size = chest->heart, bottom = (chest->dome[LEFT] - 0.47f) * 0.7f;
    float x = p.x - 0.02f - 0.12f * size, y = p.y - 0.27f - bottom;
    float along = 0.88f * x + 0.47f * y, across = 0.88f * y - 0.47f * x;
    float ventricle = 1 - square(along / (0.37f * size)) - square(across / (0.24f * size));
    float atrium = 1 - square((p.x + 0.04f) / (0.17f * size)) - square((p.y - 0.22f - bottom) / 0.24f);
    return edge(MAX(ventricle, atrium), 0.14f);
}

/* Ribs at the back fall outward; those in front, fainter, fall inward and end in cartilage. */
static float ribs_at(const Chest *chest, Point p, float out, float wall)
{
    float spacing = chest->patient->rib_spacing, phase = chest->patient->rib_phase;
    float back = (p.y + 0.9f - (0.50f * out - 0.12f) * out) / spacing + phase;
    float front = (p.y + 0.9f - 0.42f * (0.75f - out)) / (spacing * 1.1f) + phase;
    float inside = edge(wall + 0.03f - out, 0.02f) * edge(0.72f - p.y, 0.1f);

    if (back < 0 || front < 0) /* above the first rib */
        return 0;
    back -= (int)back;
    front -= (int)front;
    return inside * (0.12f * bump(square((back - 0.5f) / 0.34f)) * edge(out - 0.06f, 0.03f) +
                     0.07f * bump(square((front - 0.5f) / 0.36f)) * edge(out - 0.28f, 0.06f));
}

static float spine_at(Point p)
{
    float vertebra = (p.y + 2) / 0.13f;
    vertebra -= (int)vertebra;
    return bump(square(p.x / 0.13f)) * (0.22f + 0.08f * bump(square((vertebra - 0.5f) / 0.4f)));
}

/* Soft tissue from front to back: neck, shoulders, trunk; 0 beside the patient. */
static float tissue_at(const Chest *chest, Point p, float out)
{
    float trunk = chest->wall + 0.14f + 0.45f * edge(-0.30f - p.y, 0.25f);
    float shoulder = p.y - (-0.98f + 0.30f * out - 0.80f * edge(0.24f - out, 0.14f));
    float thick = chest->patient->thickness * (1 - 0.35f * square(square(out / trunk)));
    return thick * edge(trunk - out, 0.03f) * edge(shoulder, 0.06f);
}

static float breast_at(const Chest *chest, Point p, float out)
{
    float q = square((out - 0.40f) / 0.30f) + square((p.y - 0.22f) / 0.30f);
    return 0.16f * chest->patient->breast * edge(1 - q, 0.25f) * edge(p.y + 0.25f, 0.35f);
}

/* What the rays lose on their way through the body at @p. @in_lung, @everywhere: the layers there. */
static float attenuation_at(const Chest *chest, Point p, float in_lung, float everywhere)
{
    int side = p.x < 0 ? RIGHT : LEFT;
    float out = p.x < 0 ? -p.x : p.x;
    float tissue = tissue_at(chest, p, out);
    if (tissue <= 0)
        return 0;

    float wall = wall_at(chest, p.y), heart = heart_at(chest, p);
    float air = air_at(chest, side, p, out, wall) * (1 - 0.75f * heart);
    float fluid = chest->patient->severity[EFFUSION + side];
    /* Lying down, an effusion spreads behind the lung and veils it from below. */
    float veil = chest->view->ap ? 0.16f * fluid * edge(p.y - 0.1f, 0.5f) : 0;
    float trachea = bump(square((p.x - 0.01f) / 0.055f)) * edge(-0.22f - p.y, 0.1f);
    float lung = in_lung + 0.05f * texture_at(chest, p) + 0.05f * chest->patient->severity[CONGESTION] + veil;
    lung = lung / (1 + MAX(lung, 0.0f)); /* what fills the air space is no denser than the heart */

    return tissue * (1 - 0.74f * air - 0.20f * trachea) + air * lung + 0.10f * heart * tissue +
           ribs_at(chest, p, out, wall) * tissue + spine_at(p) * tissue + breast_at(chest, p, out) +
           everywhere * MIN(tissue * 4, 1.0f);
}

/* --- The film --- */

/* Triangular noise, growing where few rays arrive, from two bytes a pixel, four pixels a draw. */
static void develop(const Phantom *phantom, const Row *row, const View *view, const float *attenuation,
                    guint8 *film)
{
    gsize pixels = (gsize)phantom->size * phantom->size;
    guint64 bits = 0;
    DpcxrRandom random;

    dpcxr_random_init(&random, phantom->seed, "phantom noise", row->patient, row->image);
    for (gsize i = 0; i < pixels; i++) {
        bits = i % 4 == 0 ? dpcxr_random_u64(&random) : bits >> 16;
        float grain = ((float)(bits & 255) + (float)(bits >> 8 & 255) - 255) * (1 / 104.0f);
        float a = MAX(attenuation[i], 0.0f) * view->exposure;
        float tone = a / (a + 0.75f); /* the film's curve: steep in the lung, flat in bone */
        float value = 0.45f + (1.35f * tone - 0.45f) * view->contrast;
        value += view->noise * (0.4f + tone) * grain;
        film[i] = (guint8)CLAMP(value * 255 + 0.5f, 0.0f, 255.0f);
    }
}

/* @scratch: [LAYERS, size, size], zeroed. */
static void draw_image(const Phantom *phantom, const Row *row, float *scratch, guint8 *film)
{
    int size = phantom->size;
    Patient patient;
    View view;
    Chest chest;
    Canvas canvas;

    make_patient(phantom, row->patient, &patient);
    make_view(phantom, &patient, row, &view);
    prepare_chest(&chest, phantom, row, &patient, &view);
    prepare_canvas(&canvas, &view, size, scratch);
    draw_small_things(&canvas, phantom, row, &patient);
    for (int y = 0, i = 0; y < size; y++)
        for (int x = 0; x < size; x++, i++)
            scratch[i] = attenuation_at(&chest, to_body(&canvas, x, y), canvas.layer[IN_LUNG][i],
                                        canvas.layer[EVERYWHERE][i]);
    develop(phantom, row, &view, scratch, film);
}

/* --- The plugin --- */

static gboolean find_names(const char *what, const char *const *wanted, const char *const *have, gsize n_have,
                           int *found, GError **error)
{
    for (gsize i = 0; wanted[i]; i++) {
        gsize k = 0;
        while (k < n_have && !g_str_equal(wanted[i], have[k]))
            k++;
        if (k == n_have) {
            GString *list = g_string_new(NULL);
            for (gsize h = 0; h < n_have; h++)
                g_string_append_printf(list, "%s%s", h ? ", " : "", have[h]);
            g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_DATA, "phantom: no %s \"%s\"; it has %s", what,
                        wanted[i], list->str);
            g_string_free(list, TRUE);
            return FALSE;
        }
        if (found)
            found[i] = (int)k;
    }
    return TRUE;
}

/* What a report says of a finding. */
static DpcxrLabel read_label(const Phantom *phantom, gboolean present, DpcxrRandom *random)
{
    double u = dpcxr_random_uniform(random);
    if (u < phantom->unknown)
        return u < phantom->unknown / 2 ? DPCXR_LABEL_UNCERTAIN : DPCXR_LABEL_MISSING;
    return present ? DPCXR_LABEL_POSITIVE : DPCXR_LABEL_NEGATIVE;
}

static void add_image(Phantom *phantom, const Row *place, const Patient *patient, const int *findings,
                      gsize n_findings, DpcxrIndex *index)
{
    char name[32], study[32], age[16];
    View view;
    DpcxrLabel labels[FINDINGS];
    DpcxrRandom random;

    g_snprintf(study, sizeof(study), "p%05u", place->patient);
    g_snprintf(name, sizeof(name), "%s_%u", study, place->image);
    g_snprintf(age, sizeof(age), "%d", patient->age);
    gsize row = dpcxr_index_add(
        index, &(DpcxrRow){.sample = name, .patient = study, .split = split_of(phantom, place->patient)});

    dpcxr_random_init(&random, phantom->seed, "phantom reading", place->patient, place->image);
    for (int i = 0; i < FINDINGS; i++)
        labels[i] = read_label(phantom, patient->present[i], &random);
    for (gsize i = 0; i < n_findings; i++)
        dpcxr_index_set_label(index, row, i, labels[findings[i]]);
    make_view(phantom, patient, place, &view);
    dpcxr_index_set_column(index, row, "age", age);
    dpcxr_index_set_column(index, row, "sex", patient->female ? "F" : "M");
    dpcxr_index_set_column(index, row, "view", view.ap ? "AP" : "PA");
    g_array_append_val(phantom->rows, *place);
}

static void close_phantom(gpointer self)
{
    Phantom *phantom = self;
    g_array_unref(phantom->rows);
    g_free(phantom);
}

static gboolean open_phantom(const DpcxrOptions *values, const char *const *labels,
                             const char *const *columns, DpcxrIndex *index, gpointer *self, GError **error)
{
    gsize n_labels = g_strv_length((char **)labels);
    g_autofree int *findings = g_new(int, n_labels + 1);
    if (!find_names("label", labels, finding_names, FINDINGS, findings, error) ||
        !find_names("column", columns, column_names, G_N_ELEMENTS(column_names) - 1, NULL, error))
        return FALSE;

    Phantom *phantom = g_new0(Phantom, 1);
    phantom->seed = (guint64)dpcxr_options_get_int(values, "seed");
    phantom->patients = (guint32)dpcxr_options_get_int(values, "patients");
    phantom->size = (int)dpcxr_options_get_int(values, "size");
    phantom->prevalence = dpcxr_options_get_number(values, "prevalence");
    phantom->difficulty = dpcxr_options_get_number(values, "difficulty");
    phantom->unknown = dpcxr_options_get_number(values, "unknown");
    phantom->rows = g_array_new(FALSE, FALSE, sizeof(Row));
    for (guint32 i = 0; i < phantom->patients; i++) {
        Patient patient;
        make_patient(phantom, i, &patient);
        for (guint32 k = 0; k < patient.images; k++)
            add_image(phantom, &(Row){i, k}, &patient, findings, n_labels, index);
    }
    *self = phantom;
    return TRUE;
}

static gboolean load_phantom(gpointer self, const DpcxrIndex *index, gsize row, int min_size,
                             DpcxrImage *image, GError **error)
{
    const Phantom *phantom = self;
    gsize pixels = (gsize)phantom->size * phantom->size; /* at most 2048 x 2048 */

    *image = (DpcxrImage){.width = phantom->size, .height = phantom->size, .channels = 1, .depth = 8};
    if (!dpcxr_image_allocate(image, error))
        return FALSE;
    g_autofree float *scratch = g_new0(float, LAYERS *pixels);
    draw_image(phantom, &g_array_index(phantom->rows, Row, row), scratch, image->pixels);
    return TRUE;
}

static const DpcxrDataset phantom_dataset = {
    .open = open_phantom, .load = load_phantom, .close = close_phantom};

DPCXR_PLUGIN_DEFINE_DATASET(phantom, .version = "1.0",
                            .summary = "Drawn chest radiographs with eight findings; needs no files",
                            .licence = "MIT", .options = options, .feature = &phantom_dataset);
