/*
 * One table for all handles of the process. A handle is a slot of the table and how often that
 * slot has been given out before, so that a handle that has been closed is never taken for a
 * newer one.
 */
#include <stdlib.h>

#include "internal.h"

#define SLOT_BITS 16u
#define SLOT_MAX ((1u << SLOT_BITS) - 1)
#define ROUND_MAX 0x7fffu /* bit 31 stays clear */

typedef struct slot {
    ref_dom_object *object; /* NULL: free, or being taken out */
    uint16_t round;
    uint32_t next_free; /* 0: none */
} slot;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t unused = PTHREAD_COND_INITIALIZER;
static slot *slots; /* slot 0 is never given out; the table outlives the runtime, for the rounds */
static uint32_t slot_count = 1, slot_room, first_free;

/* Makes room for one more slot. Caller holds the lock. */
static bool grow(void)
{
    if (slot_count < slot_room) {
        return true;
    }
    uint32_t room = slot_room == 0 ? 64 : slot_room * 2;
    slot *bigger = realloc(slots, room * sizeof *slots);
    if (bigger == NULL) {
        return false;
    }
    slots = bigger;
    slot_room = room;
    return true;
}

STATUS ref_dom_handle_add(ref_dom_object *object, ref_dom_kind kind)
{
    STATUS status = ref_dom_check_runtime();
    uint32_t number = 0;

    object->handle = NULLHANDLE;
    if (status != NOERROR) {
        return status;
    }
    (void)pthread_mutex_lock(&lock);
    if (first_free != 0) {
        number = first_free;
        first_free = slots[number].next_free;
    } else if (slot_count > SLOT_MAX) {
        status = ERR_MEM_HANDLES;
    } else if (!grow()) {
        status = ERR_MEMORY;
    } else {
        number = slot_count++;
        slots[number] = (slot){0};
    }
    if (number != 0) {
        object->kind = kind;
        object->users = 0;
        object->handle = (DHANDLE)slots[number].round << SLOT_BITS | number;
        slots[number].object = object;
    }
    (void)pthread_mutex_unlock(&lock);
    return status;
}

static STATUS null_handle(ref_dom_kind kind)
{
    switch (kind) {
    case REF_DOM_DB:
        return ERR_NULL_DBHANDLE;
    case REF_DOM_NOTE:
        return ERR_NULL_NOTEHANDLE;
    case REF_DOM_APPLY:
        return ERR_INVALID_CHANGE_INFO_CONTEXT;
    case REF_DOM_BACKUP:
        return ERR_NOT_DOING_BACKUP;
    default:
        return ERR_OS_NULL_HANDLE;
    }
}

/* The object, or why there is none. Caller holds the lock. */
static STATUS find(DHANDLE handle, ref_dom_kind kind, ref_dom_object **out)
{
    uint32_t number = handle & SLOT_MAX;
    STATUS wrong = NOERROR;

    *out = NULL;
    if (handle == NULLHANDLE) {
        return null_handle(kind);
    }
    if (number == 0 || number >= slot_count || handle >> SLOT_BITS > slots[number].round) {
        wrong = ERR_OS_HANDLE_RANGE;
    } else if (slots[number].object == NULL || handle >> SLOT_BITS != slots[number].round) {
        wrong = ERR_OS_FREE_HANDLE;
    } else if (slots[number].object->kind != kind) {
        wrong = ERR_OS_INCOMPATIBLE_HANDLES;
    } else {
        *out = slots[number].object;
        return NOERROR;
    }
    return kind == REF_DOM_APPLY || kind == REF_DOM_BACKUP ? null_handle(kind) : wrong;
}

void *ref_dom_handle_use(DHANDLE handle, ref_dom_kind kind, STATUS *status)
{
    ref_dom_object *object = NULL;

    *status = ref_dom_check_runtime();
    if (*status == NOERROR) {
        (void)pthread_mutex_lock(&lock);
        *status = find(handle, kind, &object);
        if (object != NULL) {
            object->users++;
        }
        (void)pthread_mutex_unlock(&lock);
    }
    return object;
}

void ref_dom_handle_leave(void *object)
{
    ref_dom_object *left = object;

    if (left != NULL) {
        (void)pthread_mutex_lock(&lock);
        if (--left->users == 0) {
            (void)pthread_cond_broadcast(&unused);
        }
        (void)pthread_mutex_unlock(&lock);
    }
}

/* Makes the slot free. The last round is not given out again. */
static void free_slot(uint32_t number)
{
    if (slots[number].round < ROUND_MAX) {
        slots[number].round++;
        slots[number].next_free = first_free;
        first_free = number;
    }
}

void *ref_dom_handle_take(DHANDLE handle, ref_dom_kind kind, STATUS *status)
{
    ref_dom_object *object = NULL;

    *status = ref_dom_check_runtime();
    if (*status == NOERROR) {
        (void)pthread_mutex_lock(&lock);
        *status = find(handle, kind, &object);
        if (object != NULL) {
            slots[handle & SLOT_MAX].object = NULL;
            while (object->users > 0) {
                (void)pthread_cond_wait(&unused, &lock);
            }
            free_slot(handle & SLOT_MAX);
        }
        (void)pthread_mutex_unlock(&lock);
    }
    return object;
}

DHANDLE ref_dom_handle_any(ref_dom_kind kind)
{
    DHANDLE found = NULLHANDLE;

    (void)pthread_mutex_lock(&lock);
    for (uint32_t i = 1; i < slot_count && found == NULLHANDLE; i++) {
        if (slots[i].object != NULL && slots[i].object->kind == kind) {
            found = slots[i].object->handle;
        }
    }
    (void)pthread_mutex_unlock(&lock);
    return found;
}
