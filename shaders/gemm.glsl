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
// gemm(m0, n0, first, end) adds segments first .. end-1 to sums[], which the caller clears; element (i, j) of an invocation
// belongs to row m0 + tile_row(i), column n0 + tile_column(j).
//
// Two ways: GEMM_SUBGROUP for devices whose lanes are one processor's vector unit (no shared memory, no barrier; the values of
// A go from lane to lane), else shared memory and barriers.
layout(constant_id = 1) const int TILE_X = 16; // invocations along n; subgroup: lanes
layout(constant_id = 2) const int TILE_Y = 16; // invocations along m; subgroup: 1
layout(constant_id = 3) const int TILE_M = 4;  // rows of an invocation; subgroup: in units of lanes
layout(constant_id = 4) const int TILE_N = 4;  // columns of an invocation
layout(constant_id = 5) const int TILE_K = 16; // depth of the shared tile; subgroup: unused

#ifdef GEMM_SUBGROUP
const int ROWS = TILE_X * TILE_M; // of an invocation
#else
const int ROWS = TILE_M;
#endif

float sums[ROWS * TILE_N];

void clear()
{
    [[unroll]] for (int i = 0; i < ROWS * TILE_N; i++) sums[i] = 0;
}

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

const int TILE_ROWS = TILE_Y * TILE_M, TILE_COLUMNS = TILE_X * TILE_N, THREADS = TILE_X * TILE_Y;

shared ivec3 tile_rows[TILE_ROWS];
shared float tile_a[TILE_K * TILE_ROWS], tile_b[TILE_K * TILE_COLUMNS];

int tile_row(int i) { return int(gl_LocalInvocationIndex) / TILE_X * TILE_M + i; }
int tile_column(int j) { return j * TILE_X + int(gl_LocalInvocationIndex) % TILE_X; }

void load_tile(int n0, int first, int k0, int total)
{
    for (int i = int(gl_LocalInvocationIndex); i < TILE_K * TILE_ROWS; i += THREADS) {
        int k = A_ALONG_K ? i % TILE_K : i / TILE_ROWS, m = A_ALONG_K ? i / TILE_K : i % TILE_ROWS;
        int segment = first + (k0 + k) / LENGTH;
        bool there = k0 + k < total && segment_scale(segment) != 0;
        int base = there ? a_base(tile_rows[m], segment) : NOTHING;
        tile_a[k * TILE_ROWS + m] = base == NOTHING ? 0 : a_load(tile_rows[m], base, (k0 + k) % LENGTH);
    }
    for (int i = int(gl_LocalInvocationIndex); i < TILE_K * TILE_COLUMNS; i += THREADS) {
        int k = B_ALONG_K ? i % TILE_K : i / TILE_COLUMNS, n = B_ALONG_K ? i / TILE_K : i % TILE_COLUMNS;
        int segment = first + (k0 + k) / LENGTH;
        float scale = k0 + k < total ? segment_scale(segment) : 0;
        int base = scale != 0 ? b_base(segment, n0 + n) : NOTHING;
        tile_b[k * TILE_COLUMNS + n] = base == NOTHING ? 0 : b_load(base, (k0 + k) % LENGTH) * scale;
    }
}

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
