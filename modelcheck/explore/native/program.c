/* Checks a program and lays out its packed state.  Whatever numbers come in, nothing after this reads out of bounds. */
#include "engine.h"

#include <stdlib.h>
#include <string.h>

#define REFUSE(why) return why

/* Operands of each operation, values it takes from the stack, values it leaves; OP_IN has more operands. */
static const struct {
    int operands, takes, leaves;
} shapes[OP_COUNT] = {
    [OP_END] = {0, 0, 0},      [OP_BEGIN] = {0, 0, 0},    [OP_CONST] = {1, 0, 1},      [OP_SLOT] = {1, 0, 1},
    [OP_EQ] = {0, 2, 1},       [OP_NE] = {0, 2, 1},       [OP_LT] = {0, 2, 1},         [OP_LE] = {0, 2, 1},
    [OP_ADD] = {0, 2, 1},      [OP_SUB] = {0, 2, 1},      [OP_NOT] = {0, 1, 1},        [OP_AND] = {0, 2, 1},
    [OP_OR] = {0, 2, 1},       [OP_ITE] = {0, 3, 1},      [OP_IN] = {2, 1, 1},         [OP_FRESH] = {1, 0, 1},
    [OP_GUARD] = {0, 1, 0},    [OP_GUARD_EQ] = {2, 0, 0}, [OP_GUARD_NE] = {2, 0, 0},   [OP_GUARD_SAME] = {2, 0, 0},
    [OP_STORE] = {1, 1, 0},    [OP_SET] = {2, 0, 0},      [OP_COPY] = {2, 0, 0},
};

static bool is_slot(const program_t *p, int32_t slot)
{
    return slot >= 0 && (uint32_t)slot < p->slot_count;
}

/* Walks code from `at` to its END.  `writes` (one byte a slot) and `fresh` (one count a sort) are filled where given. */
static const char *check_code(const program_t *p, size_t at, bool step, uint8_t *writes, uint32_t *fresh)
{
    int depth = 0;
    bool begun = false;
    for (;;) {
        if (at >= p->code_count)
            REFUSE("code runs past its end");
        int32_t op = p->code[at];
        if (op < 0 || op >= OP_COUNT)
            REFUSE("an unknown operation");
        if (at + (size_t)shapes[op].operands >= p->code_count)
            REFUSE("operands are cut off");
        const int32_t *arg = p->code + at + 1;
        at += 1 + (size_t)shapes[op].operands;
        if (depth < shapes[op].takes)
            REFUSE("code takes from an empty stack");
        depth += shapes[op].leaves - shapes[op].takes;
        if (depth > MOST_STACK)
            REFUSE("an expression is too deep");
        switch (op) {
        case OP_END:
            if (step ? depth != 0 || !begun : depth != 1)
                REFUSE("code ends with the wrong number of values");
            return NULL;
        case OP_BEGIN:
            if (!step || begun || depth != 0)
                REFUSE("a step begins twice, or inside an expression");
            begun = true;
            break;
        case OP_SLOT:
            if (!is_slot(p, arg[0]))
                REFUSE("no such slot");
            break;
        case OP_IN: /* lowest value, number of 32-bit words, then the bits */
            if (arg[1] < 1 || (size_t)arg[1] >= p->code_count - at)
                REFUSE("a set is cut off");
            at += (size_t)arg[1];
            break;
        case OP_FRESH:
            if (arg[0] < 0 || (uint32_t)arg[0] >= p->sort_count || p->sorts[arg[0]].count == 0)
                REFUSE("no such sort");
            if (fresh)
                fresh[arg[0]]++;
            break;
        case OP_GUARD:
            if (!step)
                REFUSE("a guard in a condition");
            break;
        case OP_GUARD_EQ:
        case OP_GUARD_NE:
            if (!step || !is_slot(p, arg[0]))
                REFUSE("a guard in a condition, or no such slot");
            break;
        case OP_GUARD_SAME:
            if (!step || !is_slot(p, arg[0]) || !is_slot(p, arg[1]))
                REFUSE("a guard in a condition, or no such slot");
            break;
        case OP_STORE:
        case OP_SET:
        case OP_COPY:
            if (!step || !begun || !is_slot(p, arg[0]) || (op == OP_COPY && !is_slot(p, arg[1])))
                REFUSE("a store before the step begins, or no such slot");
            if ((uint32_t)arg[0] < p->process_count)
                REFUSE("a step stores a program counter");
            if (writes)
                writes[arg[0]] = 1;
            break;
        default:
            break;
        }
    }
}

static const char *read_slots(program_t *p, const int32_t *in, size_t count)
{
    if (count % 4 || count / 4 > MOST_SLOTS || count == 0)
        REFUSE("the number of slots is out of bounds");
    p->slot_count = (uint32_t)(count / 4);
    p->slots = calloc(p->slot_count, sizeof *p->slots);
    if (!p->slots)
        REFUSE("out of memory");
    uint32_t word = 0, used = 0;
    for (uint32_t i = 0; i < p->slot_count; i++) {
        slot_t *s = &p->slots[i];
        s->lo = in[4 * i], s->hi = in[4 * i + 1], s->initial = in[4 * i + 2], s->sort = in[4 * i + 3];
        int64_t width = (int64_t)s->hi - s->lo;
        if (width < 0 || s->initial < s->lo || s->initial > s->hi)
            REFUSE("a slot's domain is empty, or its start is outside");
        if (width > INT32_MAX)
            REFUSE("a slot's domain is too wide");
        if (s->sort < -1 || s->sort >= (int32_t)p->sort_count || (s->sort >= 0 && s->lo != NOTHING))
            REFUSE("a slot's sort does not exist, or its domain does not begin with nothing");
        s->most = s->hi;
        uint32_t bits = 0;
        while (bits < 32 && ((uint64_t)width >> bits) != 0)
            bits++;
        if (used + bits > 64)
            word++, used = 0;
        if (word >= MOST_WORDS)
            REFUSE("a packed state is too long");
        s->word = word, s->shift = used == 64 ? 0 : used;
        s->mask = bits ? (UINT64_C(1) << bits) - 1 : 0;
        used += bits;
    }
    p->words = word + 1;
    return NULL;
}

static const char *read_sorts(program_t *p, const int32_t *in, size_t count)
{
    size_t at = 0;
    p->sorts = calloc(MOST_SORTS, sizeof *p->sorts);
    if (!p->sorts)
        REFUSE("out of memory");
    while (at < count) {
        if (p->sort_count == MOST_SORTS || count - at < 2)
            REFUSE("too many sorts, or one is cut off");
        sort_t *s = &p->sorts[p->sort_count++];
        if (in[at + 1] < 0 || (size_t)in[at + 1] > count - at - 2 || in[at + 1] >= MOST_STAMPS)
            REFUSE("a sort's places are cut off or too many");
        s->named = in[at] != 0;
        s->count = (uint32_t)in[at + 1];
        s->places = in + at + 2;
        at += 2 + s->count;
    }
    return NULL;
}

static const char *check_sorts(program_t *p)
{
    uint32_t of_a_sort = 0;
    for (uint32_t i = 0; i < p->slot_count; i++)
        of_a_sort += p->slots[i].sort >= 0;
    for (uint32_t k = 0; k < p->sort_count; k++) {
        sort_t *s = &p->sorts[k];
        s->most = (int32_t)s->count - 1;
        for (uint32_t i = 0; i < s->count; i++) {
            int32_t place = s->places[i];
            if (!is_slot(p, place) || p->slots[place].sort != (int32_t)k || (i && place <= s->places[i - 1]))
                REFUSE("a sort's places are not its slots in order");
            if (p->slots[place].hi != s->most)
                REFUSE("a stamp's domain is not as large as its sort");
        }
        of_a_sort -= s->count;
    }
    return of_a_sort ? "a slot is missing in its sort's places" : NULL;
}

static const char *read_processes(program_t *p, const int32_t *locals, size_t local_count, const int32_t *steps,
                                  size_t step_count)
{
    if (step_count % 4 || step_count / 4 > INT32_MAX)
        REFUSE("steps are cut off");
    p->step_count = (uint32_t)(step_count / 4);
    p->processes = calloc(MOST_PROCESSES, sizeof *p->processes);
    p->locals = calloc(local_count + 1, sizeof *p->locals);
    p->steps = calloc(p->step_count + 1u, sizeof *p->steps);
    if (!p->processes || !p->locals || !p->steps)
        REFUSE("out of memory");
    size_t at = 0;
    uint32_t local = 0, step = 0;
    while (at < local_count) {
        if (p->process_count == MOST_PROCESSES)
            REFUSE("too many processes");
        uint32_t process = p->process_count++;
        if (process >= p->slot_count || locals[at] < 1 || (size_t)locals[at] > local_count - at - 1)
            REFUSE("local states are cut off");
        p->processes[process].locals = (uint32_t)locals[at++];
        p->processes[process].first_local = local;
        for (uint32_t i = 0; i < p->processes[process].locals; i++) {
            int32_t out = locals[at++];
            if (out < 0 || (uint32_t)out > p->step_count - step)
                REFUSE("steps out of a local state are cut off");
            p->locals[local].first = step;
            p->locals[local++].count = (uint32_t)out;
            for (uint32_t k = 0; k < (uint32_t)out; k++, step++) {
                const int32_t *in = steps + 4 * (size_t)step;
                if (in[0] < 0 || in[1] < 0 || (uint32_t)in[1] >= p->processes[process].locals || in[2] < 0 || in[2] > 7)
                    REFUSE("a step's code, target or flags are out of bounds");
                p->steps[step] = (step_t){.code = (uint32_t)in[0], .process = process, .target = (uint32_t)in[1],
                                          .flags = (uint32_t)in[2], .observation = in[3]};
            }
        }
        const slot_t *pc = &p->slots[process];
        if (pc->lo != 0 || pc->hi != (int32_t)p->processes[process].locals - 1 || pc->sort >= 0)
            REFUSE("a program counter's domain is not its process's local states");
    }
    if (p->process_count == 0 || step != p->step_count)
        REFUSE("there is no process, or there are steps of none");
    return NULL;
}

static const char *read_observations(program_t *p, const int32_t *in, size_t count)
{
    size_t at = 0;
    p->observations = calloc(count / 2 + 1, sizeof *p->observations);
    if (!p->observations)
        REFUSE("out of memory");
    while (at < count) {
        if (count - at < 2 || in[at] < 0 || in[at + 1] < 0)
            REFUSE("an observation is cut off");
        observation_t *o = &p->observations[p->observation_count++];
        o->stamps = (uint32_t)in[at], o->forms = (uint32_t)in[at + 1];
        o->slots = in + at + 2;
        size_t seen = (size_t)o->stamps + o->forms;
        if (seen > count - at - 2 || seen > MOST_SLOTS)
            REFUSE("an observation is cut off");
        for (size_t i = 0; i < seen; i++)
            if (!is_slot(p, o->slots[i]) || (i < o->stamps && p->slots[o->slots[i]].sort < 0))
                REFUSE("an observation shows what is no slot, or no stamp");
        if (seen > p->most_seen)
            p->most_seen = (uint32_t)seen;
        at += 2 + seen;
    }
    return NULL;
}

/* What each step writes, and what it makes of the sorts. */
static const char *check_steps(program_t *p)
{
    uint8_t *writes = calloc(p->slot_count, 1);
    size_t room = 0, used = 0;
    const char *why = writes ? NULL : "out of memory";
    uint32_t most[MOST_SORTS] = {0};
    for (uint32_t i = 0; i < p->step_count && !why; i++) {
        step_t *s = &p->steps[i];
        uint32_t fresh[MOST_SORTS] = {0};
        memset(writes, 0, p->slot_count);
        why = check_code(p, s->code, true, writes, fresh);
        if (!why && (s->flags & STEP_OBSERVES ? s->observation < 0 || (uint32_t)s->observation >= p->observation_count
                                             : s->observation != -1))
            why = "a step's observation does not exist";
        if (why)
            break;
        for (uint32_t k = 0; k < p->slot_count; k++)
            if (writes[k] && p->slots[k].sort >= 0)
                s->sorts |= UINT32_C(1) << p->slots[k].sort;
        for (uint32_t k = 0; k < p->sort_count; k++) {
            if (fresh[k] > most[k])
                most[k] = fresh[k];
            for (uint32_t i2 = 0; s->sorts >> k & 1 && i2 < p->sorts[k].count; i2++)
                writes[p->sorts[k].places[i2]] = 1;
        }
        writes[s->process] = 1;
        s->writes.first = (uint32_t)used;
        for (uint32_t k = 0; k < p->slot_count; k++) {
            if (!writes[k])
                continue;
            if (used == room) {
                room = room ? 2 * room : 1024;
                uint32_t *more = realloc(p->writes, room * sizeof *more);
                if (!more || room > UINT32_MAX) {
                    p->writes = more ? more : p->writes;
                    why = "out of memory";
                    break;
                }
                p->writes = more;
            }
            p->writes[used++] = k;
        }
        s->writes.count = (uint32_t)(used - s->writes.first);
    }
    free(writes);
    if (why)
        return why;
    for (uint32_t k = 0; k < p->sort_count; k++) {
        int64_t largest = (int64_t)p->sorts[k].most + most[k];
        if (largest + 1 >= MOST_STAMPS)
            REFUSE("one sort has too many stamps");
        p->sorts[k].most = (int32_t)largest;
        for (uint32_t i = 0; i < p->sorts[k].count; i++)
            p->slots[p->sorts[k].places[i]].most = (int32_t)largest;
    }
    return NULL;
}

static const char *read_ample(program_t *p, const int32_t *in, size_t count)
{
    if (count == 0)
        return NULL;
    size_t at = 0;
    for (uint32_t q = 0; q < p->process_count; q++) {
        process_t *process = &p->processes[q];
        if (count - at < 2 || in[at] < 1 || in[at + 1] < 1 || in[at] > 1 << 20 || in[at + 1] > 1 << 20)
            REFUSE("effects are cut off");
        process->nows = (uint32_t)in[at], process->futures = (uint32_t)in[at + 1];
        process->effects = in + at + 2;
        at += 2;
        if (3 * (size_t)process->locals > count - at)
            REFUSE("effects are cut off");
        for (uint32_t i = 0; i < process->locals; i++, at += 3)
            if (in[at] < 0 || (uint32_t)in[at] >= process->nows || in[at + 1] < 0
                || (uint32_t)in[at + 1] >= process->futures)
                REFUSE("an effect is out of bounds");
    }
    for (uint32_t a = 0; a < p->process_count; a++)
        for (uint32_t b = 0; b < p->process_count; b++) {
            if (a == b)
                continue;
            size_t size = (size_t)p->processes[a].nows * p->processes[b].futures;
            if (size > count - at)
                REFUSE("dependences are cut off");
            p->dependent[a][b] = in + at;
            at += size;
        }
    p->ample = true;
    return at == count ? NULL : "there are more dependences than processes";
}

const char *program_make(const parts_t *parts, program_t *p)
{
    memset(p, 0, sizeof *p);
    const int32_t *in[] = {parts->slots, parts->sorts, parts->locals, parts->steps,
                           parts->code,  parts->observations, parts->conditions, parts->ample};
    const size_t counts[] = {parts->slot_count, parts->sort_count, parts->local_count, parts->step_count,
                             parts->code_count, parts->observation_count, parts->condition_count, parts->ample_count};
    size_t total = 1;
    for (int i = 0; i < 8; i++) {
        if (counts[i] > INT32_MAX / 8)
            REFUSE("a part is too long");
        total += counts[i];
    }
    p->numbers = malloc(total * sizeof *p->numbers);
    if (!p->numbers)
        REFUSE("out of memory");
    const int32_t *part[8];
    size_t at = 0;
    for (int i = 0; i < 8; i++) {
        if (counts[i])
            memcpy(p->numbers + at, in[i], counts[i] * sizeof *p->numbers);
        part[i] = p->numbers + at;
        at += counts[i];
    }
    p->code = part[4], p->code_count = (uint32_t)counts[4];
    p->conditions = part[6], p->condition_count = (uint32_t)counts[6];
    if (parts->invariants > p->condition_count)
        REFUSE("there are fewer conditions than invariants");
    p->invariant_count = (uint32_t)parts->invariants;
    const char *why = read_sorts(p, part[1], counts[1]);
    why = why ? why : read_slots(p, part[0], counts[0]);
    why = why ? why : check_sorts(p);
    why = why ? why : read_processes(p, part[2], counts[2], part[3], counts[3]);
    why = why ? why : read_observations(p, part[5], counts[5]);
    why = why ? why : check_steps(p);
    for (uint32_t i = 0; i < p->condition_count && !why; i++)
        why = p->conditions[i] < 0 ? "a condition's code is out of bounds"
                                   : check_code(p, (size_t)p->conditions[i], false, NULL, NULL);
    return why ? why : read_ample(p, part[7], counts[7]);
}

void program_free(program_t *p)
{
    free(p->numbers);
    free(p->slots);
    free(p->sorts);
    free(p->processes);
    free(p->locals);
    free(p->steps);
    free(p->writes);
    free(p->observations);
    memset(p, 0, sizeof *p);
}
