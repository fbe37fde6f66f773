// SPDX-License-Identifier: MIT
// One tile of C = A B, where neither A nor B lies in memory as a matrix: the loop behind all convolutions. The inner dimension
// is a list of segments (taps, or rows of pixels) of LENGTH elements each. The shader that includes this says where they are:
//
//   int LENGTH;  bool A_ALONG_K, B_ALONG_K: whether neighbours in memory are neighbours along k (else along rows, columns)
//   ivec3 a_row(int m)                     what is worth keeping of row m of A; anything for rows beyond the last
//   int a_base(ivec3 row, int segment)     where the segment begins for this row, or NOTHING (zeros)
//   float a_load(ivec3 row, int base, int k)
//   int b_base(int segment, int n)         the same for a column of B
//   float b_load(int base, int k)
//   float segment_scale(int segment)       a factor on B; 0: the segment is not read at all. The same for the whole tile.
//
// Each result is one sum over k in order, in f32: its bits do not depend on the tile or on what else is in the batch. With
// GEMM_CHUNKED sums are made of partial ones of at most 64 elements, which err less: at most 64 + segments + k / 16 + 1 roundings
// (in the subgroup way a partial sum ends with its segment, however short).
//
// clear(), gemm(m0, n0, first, end), which adds segments first .. end-1, finish(): then element (i, j) of an invocation's sums[]
// belongs to row m0 + tile_row(i), column n0 + tile_column(j).
//
// Three ways: GEMM_SUBGROUP for devices whose lanes are one processor's vector unit (no shared memory, no barrier; the values of
// A go from lane to lane); shared memory and barriers; and GEMM_MATRIX, with HALF, where subgroups multiply the shared tiles by
// cooperative matrices of 16 x 16 x 16. Shared tiles are of the stored type, B's of GEMM_B where that is defined. Cooperative
// matrices add up as the device likes, so nothing that a norm's bound rests on goes that way.
layout(constant_id = 1) const int TILE_X = 16; // invocations along n; subgroup, matrix: lanes
layout(constant_id = 2) const int TILE_Y = 16; // invocations along m; subgroup: 1; matrix: subgroups, along m
layout(constant_id = 3) const int TILE_M = 4;  // rows of an invocation; subgroup: in lanes; matrix: matrices
layout(constant_id = 4) const int TILE_N = 4;  // columns of an invocation; matrix: matrices
layout(constant_id = 5) const int TILE_K = 16; // depth of the shared tile; subgroup: unused

const int SIDE = 16; // of a cooperative matrix
#if defined(GEMM_SUBGROUP)
const int ROWS = TILE_X * TILE_M; // of an invocation
#elif defined(GEMM_MATRIX)
const int ROWS = TILE_M * (SIDE * SIDE / TILE_X);
#else
const int ROWS = TILE_M;
#endif
#ifndef GEMM_B
#define GEMM_B stored
#endif

float sums[ROWS * TILE_N];

#ifndef GEMM_MATRIX
void clear()
{
    [[unroll]] for (int i = 0; i < ROWS * TILE_N; i++) sums[i] = 0;
}

void finish() {}
#endif

#ifdef GEMM_CHUNKED
float whole[ROWS * TILE_N];

void begin_part()
{
    [[unroll]] for (int i = 0; i < ROWS * TILE_N; i++) {
        whole[i] = sums[i];
        sums[i] = 0;
    }
}

void end_part()
{
    [[unroll]] for (int i = 0; i < ROWS * TILE_N; i++) sums[i] += whole[i];
}
#endif

#ifdef GEMM_SUBGROUP

const int TILE_ROWS = ROWS, TILE_COLUMNS = TILE_X * TILE_N;

int tile_row(int i) { return i; }
int tile_column(int j) { return j * TILE_X + int(gl_LocalInvocationIndex); }

ivec3 rows_at[TILE_M];
int a_at[TILE_M], b_at[TILE_N];

void multiply_add(float scale, int first, int end)
{
    for (int k = first; k < end; k++) {
        float a[TILE_M], b[TILE_N];
        [[unroll]] for (int i = 0; i < TILE_M; i++) a[i] = a_at[i] == NOTHING ? 0 : a_load(rows_at[i], a_at[i], k);
        [[unroll]] for (int j = 0; j < TILE_N; j++) b[j] = b_at[j] == NOTHING ? 0 : b_load(b_at[j], k) * scale;
        [[unroll]] for (int i = 0; i < TILE_M; i++)
            [[unroll]] for (int lane = 0; lane < TILE_X; lane++) {
                float value = subgroupBroadcast(a[i], lane);
                [[unroll]] for (int j = 0; j < TILE_N; j++) {
                    int at = (i * TILE_X + lane) * TILE_N + j;
                    sums[at] = fma(value, b[j], sums[at]);
                }
            }
    }
}

void gemm(int m0, int n0, int first, int end)
{
    int lane = int(gl_LocalInvocationIndex);
    [[unroll]] for (int i = 0; i < TILE_M; i++) rows_at[i] = a_row(m0 + i * TILE_X + lane);
    for (int segment = first; segment < end; segment++) {
        float scale = segment_scale(segment);
        if (scale == 0)
            continue;
        [[unroll]] for (int i = 0; i < TILE_M; i++) a_at[i] = a_base(rows_at[i], segment);
        [[unroll]] for (int j = 0; j < TILE_N; j++) b_at[j] = b_base(segment, n0 + j * TILE_X + lane);
#ifdef GEMM_CHUNKED
        for (int k = 0; k < LENGTH; k += 64) {
            begin_part();
            multiply_add(scale, k, min(k + 64, LENGTH));
            end_part();
        }
#else
        multiply_add(scale, 0, LENGTH);
#endif
    }
}

#else

#ifdef GEMM_MATRIX
const int TILE_ROWS = TILE_Y * TILE_M * SIDE, TILE_COLUMNS = TILE_N * SIDE;
#else
const int TILE_ROWS = TILE_Y * TILE_M, TILE_COLUMNS = TILE_X * TILE_N;
#endif
const int THREADS = TILE_X * TILE_Y;

shared ivec3 tile_rows[TILE_ROWS];
shared stored tile_a[TILE_K * TILE_ROWS]; // [k, row]
shared GEMM_B tile_b[TILE_K * TILE_COLUMNS]; // [k, column]

void load_tile(int n0, int first, int k0, int total)
{
    for (int i = int(gl_LocalInvocationIndex); i < TILE_K * TILE_ROWS; i += THREADS) {
        int k = A_ALONG_K ? i % TILE_K : i / TILE_ROWS, m = A_ALONG_K ? i / TILE_K : i % TILE_ROWS;
        int segment = first + (k0 + k) / LENGTH;
        bool there = k0 + k < total && segment_scale(segment) != 0;
        int base = there ? a_base(tile_rows[m], segment) : NOTHING;
        tile_a[k * TILE_ROWS + m] = stored(base == NOTHING ? 0 : a_load(tile_rows[m], base, (k0 + k) % LENGTH));
    }
    for (int i = int(gl_LocalInvocationIndex); i < TILE_K * TILE_COLUMNS; i += THREADS) {
        int k = B_ALONG_K ? i % TILE_K : i / TILE_COLUMNS, n = B_ALONG_K ? i / TILE_K : i % TILE_COLUMNS;
        int segment = first + (k0 + k) / LENGTH;
        float scale = k0 + k < total ? segment_scale(segment) : 0;
        int base = scale != 0 ? b_base(segment, n0 + n) : NOTHING;
        tile_b[k * TILE_COLUMNS + n] = GEMM_B(base == NOTHING ? 0 : b_load(base, (k0 + k) % LENGTH) * scale);
    }
}

#ifdef GEMM_MATRIX

// A subgroup has TILE_M x TILE_N matrices; sums[] are what each lane takes of them at last, by way of shared memory.
const int ELEMENTS = SIDE * SIDE / TILE_X; // of a matrix, of a lane

fcoopmatNV<32, gl_ScopeSubgroup, SIDE, SIDE> matrices[TILE_M * TILE_N];
shared float tile_c[TILE_Y * SIDE * SIDE];

int lane() { return int(gl_SubgroupInvocationID); }
int subgroup() { return int(gl_SubgroupID); }
int tile_row(int i)
{
    return (subgroup() * TILE_M + i / ELEMENTS) * SIDE + (i % ELEMENTS * TILE_X + lane()) / SIDE;
}
int tile_column(int j) { return j * SIDE + lane() % SIDE; }

void clear()
{
    [[unroll]] for (int i = 0; i < TILE_M * TILE_N; i++) matrices[i] = fcoopmatNV<32, gl_ScopeSubgroup, SIDE, SIDE>(0);
}

void multiply_tile()
{
    for (int k = 0; k < TILE_K; k += SIDE) {
        fcoopmatNV<16, gl_ScopeSubgroup, SIDE, SIDE> a[TILE_M], b;
        [[unroll]] for (int i = 0; i < TILE_M; i++)
            coopMatLoadNV(a[i], tile_a, k * TILE_ROWS + (subgroup() * TILE_M + i) * SIDE, TILE_ROWS, true);
        [[unroll]] for (int j = 0; j < TILE_N; j++) {
            coopMatLoadNV(b, tile_b, k * TILE_COLUMNS + j * SIDE, TILE_COLUMNS, false);
            [[unroll]] for (int i = 0; i < TILE_M; i++)
                matrices[i * TILE_N + j] = coopMatMulAddNV(a[i], b, matrices[i * TILE_N + j]);
        }
    }
}

void finish()
{
    int at = subgroup() * SIDE * SIDE;
    [[unroll]] for (int m = 0; m < TILE_M * TILE_N; m++) {
        barrier(); // what was there has been read
        coopMatStoreNV(matrices[m], tile_c, at, SIDE, false);
        barrier();
        [[unroll]] for (int e = 0; e < ELEMENTS; e++)
            sums[(m / TILE_N * ELEMENTS + e) * TILE_N + m % TILE_N] = tile_c[at + e * TILE_X + lane()];
    }
}

#else

int tile_row(int i) { return int(gl_LocalInvocationIndex) / TILE_X * TILE_M + i; }
int tile_column(int j) { return j * TILE_X + int(gl_LocalInvocationIndex) % TILE_X; }

void multiply_tile()
{
    int row = tile_row(0), column = tile_column(0);
    for (int k = 0; k < TILE_K; k++) {
        float a[TILE_M], b[TILE_N];
        [[unroll]] for (int i = 0; i < TILE_M; i++) a[i] = tile_a[k * TILE_ROWS + row + i];
        [[unroll]] for (int j = 0; j < TILE_N; j++) b[j] = tile_b[k * TILE_COLUMNS + column + j * TILE_X];
        [[unroll]] for (int i = 0; i < TILE_M; i++)
            [[unroll]] for (int j = 0; j < TILE_N; j++)
                sums[i * TILE_N + j] = fma(a[i], b[j], sums[i * TILE_N + j]);
    }
}

#endif

void gemm(int m0, int n0, int first, int end)
{
    barrier(); // of an earlier call
    for (int i = int(gl_LocalInvocationIndex); i < TILE_ROWS; i += THREADS) tile_rows[i] = a_row(m0 + i);
    int total = (end - first) * LENGTH;
    for (int k0 = 0; k0 < total; k0 += TILE_K) {
        barrier();
        load_tile(n0, first, k0, total);
        barrier();
#ifdef GEMM_CHUNKED
        begin_part();
        multiply_tile();
        end_part();
#else
        multiply_tile();
#endif
    }
}

#endif
