#include "ring.h"

#include <assert.h>

/* The driver's own wrappers are the only code that knows wedge. */
static struct wedge_lock named(pthread_mutex_t* lock, const char* name) {
    struct wedge_lock mine;
    mine.address = lock;
    mine.of = wedge_class_of(name);
    mine.kind = WEDGE_MUTEX;
    return mine;
}

static void take(pthread_mutex_t* lock, const char* name, struct wedge_site where) {
    const struct wedge_lock mine = named(lock, name);
    if (wedge_acquire(mine, WEDGE_EXCLUSIVE, where) != WEDGE_NATIVE) return;
    pthread_mutex_lock(lock);
    wedge_acquired(mine, WEDGE_EXCLUSIVE, where);
}

static void give(pthread_mutex_t* lock, const char* name, struct wedge_site where) {
    if (wedge_release(named(lock, name), where) == WEDGE_NATIVE) pthread_mutex_unlock(lock);
}

static void wait_for_work(struct ring* of, struct wedge_site where) {
    const struct wedge_lock mine = named(&of->queue, "queue");
    const wedge_class work = wedge_class_of("work");
    if (wedge_wait(&of->work, work, mine, 0, where) != WEDGE_NATIVE) return;
    pthread_cond_wait(&of->work, &of->queue);
    wedge_woken(&of->work, work, mine, where);
}

static void signal_work(struct ring* of, struct wedge_site where) {
    if (wedge_signal(&of->work, wedge_class_of("work"), where) == WEDGE_NATIVE)
        pthread_cond_signal(&of->work);
}

void ring_make(struct ring* of, int completes_under_queue) {
    pthread_mutex_init(&of->queue, NULL);
    pthread_mutex_init(&of->table, NULL);
    pthread_cond_init(&of->work, NULL);
    wedge_make(named(&of->queue, "queue"));
    wedge_make(named(&of->table, "table"));
    wedge_make_condition(&of->work, wedge_class_of("work"));
    of->pending = 0;
    of->done = 0;
    of->completes_under_queue = completes_under_queue;
}

void ring_end(struct ring* of) {
    wedge_forget(&of->queue);
    wedge_forget(&of->table);
    wedge_forget(&of->work);
    pthread_cond_destroy(&of->work);
    pthread_mutex_destroy(&of->table);
    pthread_mutex_destroy(&of->queue);
}

void ring_submit(struct ring* of) {
    take(&of->table, "table", WEDGE_HERE);
    wedge_might_alloc(WEDGE_HERE); /* a slot of the table */
    take(&of->queue, "queue", WEDGE_HERE);
    ++of->pending;
    signal_work(of, WEDGE_HERE);
    give(&of->queue, "queue", WEDGE_HERE);
    give(&of->table, "table", WEDGE_HERE);
}

static void complete(struct ring* of) {
    take(&of->table, "table", WEDGE_HERE);
    ++of->done;
    give(&of->table, "table", WEDGE_HERE);
}

void ring_serve(struct ring* of) {
    take(&of->queue, "queue", WEDGE_HERE);
    while (of->pending == 0) wait_for_work(of, WEDGE_HERE);
    wedge_assert_held(named(&of->queue, "queue"), WEDGE_HERE);
    --of->pending;
    if (of->completes_under_queue) complete(of);
    give(&of->queue, "queue", WEDGE_HERE);
    if (!of->completes_under_queue) complete(of);
}
