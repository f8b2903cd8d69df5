/* Put before every source of the engine by test_native_out_of_memory.py: memory that runs out when the test says so. */
#ifndef FAILING_ALLOCATOR_H
#define FAILING_ALLOCATOR_H

#include <pthread.h>
#include <stdlib.h>

void *try_malloc(size_t size);
void *try_calloc(size_t count, size_t size);
void *try_realloc(void *old, size_t size);
void *try_aligned_alloc(size_t alignment, size_t size);
void try_free(void *block);
int try_pthread_create(pthread_t *thread, const pthread_attr_t *how, void *(*work)(void *), void *argument);

#define malloc(size) try_malloc(size)
#define calloc(count, size) try_calloc(count, size)
#define realloc(old, size) try_realloc(old, size)
#define aligned_alloc(alignment, size) try_aligned_alloc(alignment, size)
#define free(block) try_free(block)
#define pthread_create(thread, how, work, argument) try_pthread_create(thread, how, work, argument)

#endif
