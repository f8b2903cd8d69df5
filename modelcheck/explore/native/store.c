/* The set of states met, exact: whole packed states in blocks, and their numbers in tables of tags. */
#define _DEFAULT_SOURCE /* madvise() */
#include "engine.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define BLOCK (UINT64_C(1) << BLOCK_BITS)
#define HUGE_PAGE ((size_t)1 << 21)

/* Memory that is read all over at random: in huge pages where it is large, since each lookup would miss the TLB. */
static void *spacious(size_t size, bool zeroed)
{
    if (size < HUGE_PAGE)
        return zeroed ? calloc(1, size) : malloc(size);
    size_t whole = (size + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE;
    void *memory = aligned_alloc(HUGE_PAGE, whole);
#ifdef MADV_HUGEPAGE
    if (memory)
        (void)madvise(memory, whole, MADV_HUGEPAGE); /* a wish; without it the same, slower */
#endif
    if (memory && zeroed)
        memset(memory, 0, size);
    return memory;
}

bool store_make(store_t *s, uint32_t width)
{
    memset(s, 0, sizeof *s);
    s->width = width;
    for (uint32_t part = 0; part < PARTS; part++)
        if (!table_room(s, part, 64))
            return false;
    return store_room(s, 1);
}

void store_free(store_t *s)
{
    for (size_t i = 0; i < s->block_count; i++) {
        free(s->blocks[i].words);
        free(s->blocks[i].parent);
    }
    free(s->blocks);
    for (uint32_t part = 0; part < PARTS; part++)
        free(s->tables[part].entries);
    memset(s, 0, sizeof *s);
}

bool store_room(store_t *s, uint64_t states)
{
    while (s->block_count * BLOCK < states) {
        if (s->block_count == s->block_room) {
            size_t room = s->block_room ? 2 * s->block_room : 64;
            block_t *more = realloc(s->blocks, room * sizeof *more);
            if (!more)
                return false;
            s->block_bytes += (room - s->block_room) * sizeof *more;
            s->blocks = more;
            s->block_room = room;
        }
        block_t *b = &s->blocks[s->block_count];
        size_t size = BLOCK * s->width * sizeof *b->words;
        b->words = s->block_count ? spacious(size, false) : malloc(size); /* most searches fill less than one */
        b->parent = malloc(BLOCK * 2 * sizeof *b->parent);
        if (!b->words || !b->parent) {
            free(b->words);
            free(b->parent);
            return false;
        }
        b->step = b->parent + BLOCK;
        s->block_count++;
        s->block_bytes += BLOCK * (s->width * sizeof(uint64_t) + 2 * sizeof(uint32_t));
    }
    return true;
}

/* Tables are at most three quarters full; a tag holds the bits of the hash that a larger table needs. */
static uint64_t table_size(const table_t *t, uint64_t entries)
{
    uint64_t size = t->entries ? t->mask + 1 : 64;
    while (size / 4 * 3 < entries)
        size *= 2;
    return size;
}

bool table_full(const store_t *s, uint32_t part, uint64_t entries)
{
    return table_size(&s->tables[part], entries) > s->tables[part].mask + 1;
}

bool table_room(store_t *s, uint32_t part, uint64_t entries)
{
    table_t *t = &s->tables[part];
    uint64_t size = table_size(t, entries);
    if (t->entries && size == t->mask + 1)
        return true;
    if (size > UINT64_C(1) << 31)
        return false;
    uint64_t *fresh = spacious(size * sizeof *fresh, true);
    if (!fresh)
        return false;
    for (uint64_t i = 0; t->entries && i <= t->mask; i++) {
        uint64_t entry = t->entries[i];
        if (!entry)
            continue;
        uint64_t at = entry >> 32 & (size - 1);
        while (fresh[at])
            at = (at + 1) & (size - 1);
        fresh[at] = entry;
    }
    free(t->entries);
    t->entries = fresh;
    t->mask = size - 1;
    return true;
}

uint64_t store_bytes(const store_t *s)
{
    uint64_t bytes = s->count * (s->width * sizeof(uint64_t) + 2 * sizeof(uint32_t));
    for (uint32_t part = 0; part < PARTS; part++)
        bytes += (s->tables[part].mask + 1) * sizeof *s->tables[part].entries;
    return bytes;
}

uint64_t store_bytes_for(const store_t *s, uint64_t more, const uint64_t *in_part)
{
    uint64_t bytes = s->block_bytes, blocks = (s->count + more + BLOCK - 1) / BLOCK, room = s->block_room, replaced = 0;
    if (blocks > s->block_count)
        bytes += (blocks - s->block_count) * BLOCK * (s->width * sizeof(uint64_t) + 2 * sizeof(uint32_t));
    while (room < blocks) {
        bytes += room * sizeof *s->blocks;
        room *= 2;
    }
    for (uint32_t part = 0; part < PARTS; part++) {
        const table_t *t = &s->tables[part];
        uint64_t old = t->mask + 1, size = table_size(t, t->used + (in_part ? in_part[part] : more));
        bytes += size * sizeof *t->entries;
        if (size > old) /* an old table is there until its entries are in the new one; several threads grow several */
            replaced += old;
    }
    return bytes + replaced * sizeof(uint64_t);
}

uint64_t store_find(const store_t *s, const uint64_t *words, uint64_t hash)
{
    const table_t *t = &s->tables[PART(hash)];
    uint64_t tag = TAG(hash), at = tag >> 32 & t->mask;
    for (uint64_t entry; (entry = t->entries[at]) != 0; at = (at + 1) & t->mask) {
        if ((entry & ~UINT64_C(0xffffffff)) == tag) {
            uint64_t number = (entry & UINT64_C(0xffffffff)) - 1;
            if (same_words(state_at(s, number), words, s->width))
                return number;
        }
    }
    return UINT64_MAX;
}

uint64_t store_put(store_t *s, const uint64_t *words, uint64_t hash, uint32_t parent, uint32_t step, bool *known)
{
    table_t *t = &s->tables[PART(hash)];
    uint64_t tag = TAG(hash), at = tag >> 32 & t->mask;
    for (uint64_t entry; (entry = t->entries[at]) != 0; at = (at + 1) & t->mask) {
        if ((entry & ~UINT64_C(0xffffffff)) == tag) {
            uint64_t number = (entry & UINT64_C(0xffffffff)) - 1;
            if (same_words(state_at(s, number), words, s->width)) {
                *known = true;
                return number;
            }
        }
    }
    uint64_t number = s->count++;
    t->entries[at] = tag | (number + 1);
    t->used++;
    memcpy(state_at(s, number), words, s->width * sizeof *words);
    *parent_at(s, number) = parent;
    *step_at(s, number) = step;
    *known = false;
    return number;
}

/* -- sets of keys ------------------------------------------------------------------------------------------------ */

static uint64_t key_hash(const int32_t *key, uint32_t length)
{
    uint64_t h = UINT64_C(0x9e3779b97f4a7c15) ^ length;
    for (uint32_t i = 0; i < length; i++) {
        h = (h ^ (uint32_t)key[i]) * UINT64_C(0xff51afd7ed558ccd);
        h ^= h >> 32;
    }
    return h;
}

static bool key_at(const keys_t *k, size_t i, const int32_t *key, uint32_t length)
{
    return k->lengths[i] == length && memcmp(k->keys + k->starts[i], key, length * sizeof *key) == 0;
}

bool keys_has(const keys_t *k, const int32_t *key, uint32_t length)
{
    if (!k->count)
        return false;
    for (size_t at = key_hash(key, length) & k->mask; k->entries[at]; at = (at + 1) & k->mask)
        if (key_at(k, k->entries[at] - 1, key, length))
            return true;
    return false;
}

static bool keys_grow(keys_t *k)
{
    size_t room = k->room ? 2 * k->room : 64, slots = 4 * room;
    uint32_t *lengths = realloc(k->lengths, room * sizeof *lengths);
    k->lengths = lengths ? lengths : k->lengths;
    size_t *starts = realloc(k->starts, room * sizeof *starts);
    k->starts = starts ? starts : k->starts;
    uint32_t *entries = calloc(slots, sizeof *entries);
    if (!lengths || !starts || !entries) {
        free(entries);
        return false;
    }
    free(k->entries);
    k->entries = entries;
    k->room = room;
    k->mask = slots - 1;
    for (size_t i = 0; i < k->count; i++) {
        size_t at = key_hash(k->keys + k->starts[i], k->lengths[i]) & k->mask;
        while (k->entries[at])
            at = (at + 1) & k->mask;
        k->entries[at] = (uint32_t)i + 1;
    }
    return true;
}

bool keys_add(keys_t *k, const int32_t *key, uint32_t length)
{
    if (k->count == k->room && (k->count >= UINT32_MAX / 2 || !keys_grow(k)))
        return false;
    if (k->used + length > k->key_room) {
        size_t room = 2 * (k->used + length) + 1024;
        int32_t *more = realloc(k->keys, room * sizeof *more);
        if (!more)
            return false;
        k->keys = more;
        k->key_room = room;
    }
    memcpy(k->keys + k->used, key, length * sizeof *key);
    k->starts[k->count] = k->used;
    k->lengths[k->count] = length;
    k->used += length;
    size_t at = key_hash(key, length) & k->mask;
    while (k->entries[at])
        at = (at + 1) & k->mask;
    k->entries[at] = (uint32_t)++k->count;
    return true;
}

void keys_free(keys_t *k)
{
    free(k->keys);
    free(k->lengths);
    free(k->starts);
    free(k->entries);
    memset(k, 0, sizeof *k);
}
