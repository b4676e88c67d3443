// A library whose locks are its own variables: see `dlopen` of planted.c.
#include <pthread.h>
#include <stddef.h>

static pthread_mutex_t near = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t far = PTHREAD_MUTEX_INITIALIZER;

static void pair(pthread_mutex_t* outer, pthread_mutex_t* inner) {
    pthread_mutex_lock(outer);
    pthread_mutex_lock(inner);
    pthread_mutex_unlock(inner);
    pthread_mutex_unlock(outer);
}
void* plugin_forward(void* unused);
void* plugin_forward(void* unused) {
    pair(&near, &far);
    return unused;
}
void* plugin_backward(void* unused);
void* plugin_backward(void* unused) {
    pair(&far, &near);
    return unused;
}
