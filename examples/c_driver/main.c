/* A driver in C under wedge's checker and explorer.
 *
 *     ./c_driver            runs both tasks of the fixed driver on threads, then of the broken one
 *     ./c_driver explore    tries every schedule of both
 *
 * The broken driver completes a request while it holds `queue`, and a submission takes `table`
 * first.
 */
// ctest: live when=plain,asan run => possible deadlock: .*queue.*table.*both served
// ctest: explore explore => fixed: sound.*broken: confirmed deadlock: .*table.*waits for
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "ring.h"

static struct ring the_ring;

static void submit(void* unused) {
    (void)unused;
    ring_submit(&the_ring);
}

static void serve(void* unused) {
    (void)unused;
    ring_serve(&the_ring);
}

static void* serve_natively(void* unused) {
    wedge_name_task("irq thread");
    serve(unused);
    return NULL;
}

/* Serves after the submission, so that the broken driver does not hang; the order is found anyway.
 */
static void run_natively(int is_broken) {
    pthread_t server;
    ring_make(&the_ring, is_broken);
    ring_submit(&the_ring);
    pthread_create(&server, NULL, serve_natively, NULL);
    pthread_join(server, NULL);
    ring_end(&the_ring);
}

static void make(void* is_broken) {
    ring_make(&the_ring, *(const int*)is_broken);
}

static void end(void* unused) {
    (void)unused;
    ring_end(&the_ring);
}

/* Two submissions: the server may complete the first one while the second one is made. */
static enum wedge_result explore(int is_broken) {
    static char report[1 << 16];
    static const struct wedge_task tasks[] = {{submit, NULL}, {submit, NULL}, {serve, NULL}};
    struct wedge_subject what;
    enum wedge_result result;
    what.tasks = tasks;
    what.count = sizeof tasks / sizeof *tasks;
    what.begin = make;
    what.end = end;
    what.data = &is_broken;
    result = wedge_explore(&what, 10000, report, sizeof report);
    printf("%s: %s\n", is_broken ? "broken" : "fixed", report);
    return result;
}

int main(int count, char** arguments) {
    if (count > 1 && strcmp(arguments[1], "explore") == 0)
        return explore(0) == WEDGE_SOUND && explore(1) == WEDGE_DEADLOCK ? 0 : 1;
    run_natively(0);
    run_natively(1);
    printf("both served\n");
    return 0;
}
