/* The crash model in the plainest way: see disk_model.h. */
#include "disk_model.h"

#include <stdlib.h>
#include <string.h>

#include "faults/hash.h"

void model_init(model *m, fault_profile profile)
{
    memset(m, 0, sizeof *m);
    m->profile = profile;
    m->unit = profile == FAULT_ATOMIC_PAGE ? 4096 : 512;
    memset(m->base.names, -1, sizeof m->base.names);
    memset(m->now.names, -1, sizeof m->now.names);
}

/* ---- changes ---- */

static void apply(model_content *c, const model_change *change)
{
    model_file *file = &c->files[change->file];
    switch (change->kind) {
    case CHANGE_WRITE:
        memset(file->bytes + change->offset, change->byte, change->size);
        break;
    case CHANGE_SIZE:
        if (change->cut) {
            memset(file->bytes + change->size, 0, MODEL_BYTES - change->size);
        }
        file->size = change->size;
        break;
    case CHANGE_NAME:
        if (change->from >= 0) {
            int *from = &c->names[change->dir][change->from];
            if (*from != change->file) {
                return;
            }
            *from = -1;
        }
        if (change->to >= 0) {
            c->names[change->dir][change->to] = change->file;
        }
        break;
    }
}

static void add(model *m, const model_change *change)
{
    apply(&m->now, change);
    if (m->count < MODEL_CHANGES) {
        m->changes[m->count++] = *change;
    }
}

static void write_bytes(model *m, int file, const step *s)
{
    size_t end = s->offset + s->size;
    for (size_t at = s->offset; at < end;) {
        size_t next = (at / m->unit + 1) * m->unit;
        next = next < end ? next : end;
        add(m, &(model_change){.kind = CHANGE_WRITE,
                   .order = m->order,
                   .file = file,
                   .offset = at,
                   .size = next - at,
                   .byte = s->byte});
        at = next;
    }
    if (end > m->now.files[file].size) {
        add(m, &(model_change){
                   .kind = CHANGE_SIZE, .order = m->order, .file = file, .size = end});
    }
}

static void change_name(model *m, int file, int dir, int from, int to)
{
    add(m, &(model_change){.kind = CHANGE_NAME,
               .order = m->order,
               .file = file,
               .dir = dir,
               .from = from,
               .to = to});
}

/* ---- syncs ---- */

static bool settled_by(const model *m, const model_change *change, int file, int dir)
{
    if (m->profile == FAULT_SEQUENTIAL) {
        return true;
    }
    bool mine = change->kind == CHANGE_NAME ? change->dir == dir : change->file == file;
    if (m->profile != FAULT_EXT4_ORDERED || mine || change->kind != CHANGE_WRITE) {
        return mine || m->profile == FAULT_EXT4_ORDERED;
    }
    for (size_t i = 0; i < m->count; i++) {
        const model_change *size = &m->changes[i];
        if (size->kind == CHANGE_SIZE && size->file == change->file &&
            size->order >= change->order) {
            return true;
        }
    }
    return false;
}

static void settle(model *m, int file, int dir)
{
    model_change left[MODEL_CHANGES];
    size_t count = 0;
    for (size_t i = 0; i < m->count; i++) {
        if (settled_by(m, &m->changes[i], file, dir)) {
            apply(&m->base, &m->changes[i]);
        } else {
            left[count++] = m->changes[i];
        }
    }
    memcpy(m->changes, left, count * sizeof left[0]);
    m->count = count;
}

/* ---- operations ---- */

static void truncate_file(model *m, int file, size_t size)
{
    size_t now = m->now.files[file].size;
    if (size != now) {
        add(m, &(model_change){.kind = CHANGE_SIZE,
                   .order = m->order,
                   .file = file,
                   .size = size,
                   .cut = size < now});
    }
}

static void rename_file(model *m, int file, const step *s)
{
    if (m->now.names[s->to_dir][s->to_name] == file) {
        return;
    }
    if (s->dir == s->to_dir) {
        change_name(m, file, s->dir, s->name, s->to_name);
    } else {
        change_name(m, file, s->dir, s->name, -1);
        change_name(m, file, s->to_dir, -1, s->to_name);
    }
}

void model_step(model *m, const step *s)
{
    int file = m->now.names[s->dir][s->name];
    m->order++;
    if (s->kind == STEP_SYNC_DIR) {
        settle(m, -1, s->dir);
        return;
    }
    if (file < 0 && s->kind == STEP_WRITE && m->files < MODEL_FILES) {
        file = m->files++;
        change_name(m, file, s->dir, -1, s->name);
        m->order++;
    }
    if (file < 0) {
        return;
    }
    switch (s->kind) {
    case STEP_WRITE:
        write_bytes(m, file, s);
        break;
    case STEP_TRUNCATE:
        truncate_file(m, file, s->size);
        break;
    case STEP_RENAME:
        rename_file(m, file, s);
        break;
    case STEP_UNLINK:
        change_name(m, file, s->dir, s->name, -1);
        break;
    case STEP_SYNC:
        settle(m, file, -1);
        break;
    default:
        break;
    }
}

/* ---- power cuts ---- */

typedef struct cut {
    const model *m;
    void (*each)(void *context, const model *after);
    void *context;
} cut;

/* The state when exactly these are kept. */
static void leave(const cut *c, const bool *kept, const model_change *last)
{
    model *after = malloc(sizeof *after);
    if (after == NULL) {
        abort();
    }
    *after = *c->m;
    for (size_t i = 0; i < c->m->count; i++) {
        if (kept[i]) {
            apply(&after->base, &c->m->changes[i]);
        }
    }
    if (last != NULL && after->base.files[last->file].size < last->size) {
        after->base.files[last->file].size = last->size;
    }
    for (int i = 0; i < MODEL_FILES; i++) {
        model_file *file = &after->base.files[i];
        memset(file->bytes + file->size, 0, MODEL_BYTES - file->size);
    }
    after->now = after->base;
    after->count = 0;
    c->each(c->context, after);
    free(after);
}

/* Every subset of those that are free. */
static bool leave_subsets(const cut *c, bool *kept, const bool *is_free)
{
    size_t at[MODEL_CHANGES], count = 0;
    for (size_t i = 0; i < c->m->count; i++) {
        if (is_free[i]) {
            at[count++] = i;
        }
    }
    if (count > MODEL_FREE) {
        return false;
    }
    for (size_t mask = 0; mask < (size_t)1 << count; mask++) {
        for (size_t i = 0; i < count; i++) {
            kept[at[i]] = (mask >> i & 1) != 0;
        }
        leave(c, kept, NULL);
    }
    return true;
}

/* Names and sizes before `order` are kept, content that such a size needs too; other content is
 * free. */
static bool cut_ordered(const cut *c, unsigned order)
{
    bool kept[MODEL_CHANGES] = {false}, is_free[MODEL_CHANGES] = {false};
    for (size_t i = 0; i < c->m->count; i++) {
        const model_change *change = &c->m->changes[i];
        if (change->kind != CHANGE_WRITE) {
            kept[i] = change->order < order;
            continue;
        }
        is_free[i] = true;
        for (size_t j = 0; j < c->m->count; j++) {
            const model_change *size = &c->m->changes[j];
            if (size->kind == CHANGE_SIZE && size->file == change->file && size->order < order &&
                size->order >= change->order) {
                kept[i] = true;
                is_free[i] = false;
            }
        }
    }
    return leave_subsets(c, kept, is_free);
}

/* The first `count` changes are kept; of a write its sectors, one by one, and the size with them. */
static void cut_sequential(const cut *c, size_t count)
{
    bool kept[MODEL_CHANGES] = {false};
    const model_change *last = count > 0 ? &c->m->changes[count - 1] : NULL;
    model_change reached;
    for (size_t i = 0; i < count; i++) {
        kept[i] = true;
    }
    if (last != NULL && last->kind == CHANGE_NAME && count < c->m->count &&
        c->m->changes[count].order == last->order) {
        return;
    }
    if (last == NULL || last->kind != CHANGE_WRITE) {
        leave(c, kept, NULL);
        return;
    }
    reached = *last;
    reached.size = last->offset + last->size;
    leave(c, kept, &reached);
}

bool model_crash(const model *m, void (*each)(void *context, const model *after), void *context)
{
    cut c = {m, each, context};
    bool kept[MODEL_CHANGES] = {false}, all[MODEL_CHANGES];
    bool done = m->count < MODEL_CHANGES;
    memset(all, 1, sizeof all);
    switch (m->profile) {
    case FAULT_SEQUENTIAL:
        for (size_t i = 0; i <= m->count; i++) {
            cut_sequential(&c, i);
        }
        return done;
    case FAULT_EXT4_ORDERED:
        for (unsigned order = 0; order <= m->order + 1 && done; order++) {
            done = cut_ordered(&c, order);
        }
        return done;
    default:
        return done && leave_subsets(&c, kept, all);
    }
}

/* ---- images ---- */

uint64_t image_of_file(int dir, int name, const uint8_t *bytes, size_t size)
{
    return fault_hash((uint64_t)(dir * MODEL_NAMES + name + 1), bytes, size);
}

uint64_t model_image(const model *m)
{
    uint64_t sum = 0;
    for (int dir = 0; dir < MODEL_DIRS; dir++) {
        for (int name = 0; name < MODEL_NAMES; name++) {
            int file = m->base.names[dir][name];
            sum += file >= 0 ? image_of_file(
                                   dir, name, m->base.files[file].bytes, m->base.files[file].size)
                             : 0;
        }
    }
    return sum;
}
