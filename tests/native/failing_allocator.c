/* An allocator that gives out a number of blocks and then no more, and that knows how many are held. */
#include "failing_allocator.h"

#include <errno.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdbool.h>

#undef malloc
#undef calloc
#undef realloc
#undef aligned_alloc
#undef free
#undef pthread_create

#define SHOWN __attribute__((visibility("default")))

static atomic_long left = LONG_MAX, held, threads = LONG_MAX;

SHOWN void allow(long blocks);
SHOWN void allow_threads(long count);
SHOWN long blocks_held(void);
SHOWN long blocks_refused(void);

/* So many more blocks are given out. */
void allow(long blocks)
{
    atomic_store(&left, blocks);
}

/* So many more threads are started. */
void allow_threads(long count)
{
    atomic_store(&threads, count);
}

long blocks_held(void)
{
    return atomic_load(&held);
}

/* How often there was none left since `allow`. */
long blocks_refused(void)
{
    long now = atomic_load(&left);
    return now < 0 ? -now : 0;
}

static bool refused(void)
{
    return atomic_fetch_sub(&left, 1) <= 0;
}

static void *given(void *block)
{
    if (block)
        atomic_fetch_add(&held, 1);
    return block;
}

void *try_malloc(size_t size)
{
    return refused() ? NULL : given(malloc(size));
}

void *try_calloc(size_t count, size_t size)
{
    return refused() ? NULL : given(calloc(count, size));
}

void *try_realloc(void *old, size_t size)
{
    if (refused())
        return NULL;
    void *block = realloc(old, size);
    return old ? block : given(block);
}

void *try_aligned_alloc(size_t alignment, size_t size)
{
    return refused() ? NULL : given(aligned_alloc(alignment, size));
}

void try_free(void *block)
{
    if (block)
        atomic_fetch_sub(&held, 1);
    free(block);
}

int try_pthread_create(pthread_t *thread, const pthread_attr_t *how, void *(*work)(void *), void *argument)
{
    return atomic_fetch_sub(&threads, 1) <= 0 ? EAGAIN : pthread_create(thread, how, work, argument);
}
