/* A small driver in C: a ring of requests between a submitter and an interrupt thread. */
#ifndef RING_H
#define RING_H

#include <pthread.h>

#include "wedge/c.h"

struct ring {
    pthread_mutex_t queue; /* guards `pending` */
    pthread_mutex_t table; /* guards `done` */
    pthread_cond_t work;
    int pending;
    int done;
    int completes_under_queue; /* the bug: completes a request while it holds `queue` */
};

void ring_make(struct ring* of, int completes_under_queue);
void ring_end(struct ring* of);
/* Submits a request. */
void ring_submit(struct ring* of);
/* Waits for a request and completes it. */
void ring_serve(struct ring* of);

#endif
