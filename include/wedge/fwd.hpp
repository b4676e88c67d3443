// Declares the types of wedge that other headers mention by pointer or reference, and defines none.
#pragma once

#include <cstdint>

#include "wedge/core/level.hpp"

namespace wedge {

// core
enum class context : std::uint8_t;
enum class event_kind : std::uint8_t;
enum class finding_kind : std::uint8_t;
enum class mode : std::uint8_t;
enum class verdict : std::uint8_t;
class finding_sink;
class lock_class;
class lock_identity;
class sink;
class task;
struct class_options;
struct event;
struct finding;
struct schedule;
struct site;

// lock. `mutex`, `shared_mutex`, `spinlock` and `recursive_mutex` are missing: their template
// `checked` is constrained, so the lock inside must be complete. Include wedge/lock/mutex.hpp etc.
template <class Level>
class basic_barrier;
template <class Level>
class basic_completion;
template <class Level>
class basic_condition;
template <class Level>
class basic_delayed_work;
template <class Level>
class basic_irq_work;
template <class Level>
class basic_latch;
template <class Level>
class basic_refcount;
template <class Level>
class basic_semaphore;
template <class Level>
class basic_seqcount;
template <class Level>
class basic_seqlock;
template <class Level>
class basic_timer;
template <class Level>
class basic_wait_queue;
template <class Level>
class basic_work;
template <class Level>
class basic_ww_class;
template <class Level>
class basic_ww_mutex;
template <class Level>
class basic_ww_ticket;

using barrier = basic_barrier<default_level>;
using completion = basic_completion<default_level>;
using condition = basic_condition<default_level>;
using delayed_work = basic_delayed_work<default_level>;
using irq_work = basic_irq_work<default_level>;
using latch = basic_latch<default_level>;
using refcount = basic_refcount<default_level>;
using semaphore = basic_semaphore<default_level>;
using seqcount = basic_seqcount<default_level>;
using seqlock = basic_seqlock<default_level>;
using timer = basic_timer<default_level>;
using wait_queue = basic_wait_queue<default_level>;
using work = basic_work<default_level>;
using ww_class = basic_ww_class<default_level>;
using ww_mutex = basic_ww_mutex<default_level>;
using ww_ticket = basic_ww_ticket<default_level>;

// order
class checker;

// workload, explore and stress
enum class result : std::uint8_t;
enum class strategy : std::uint8_t;
struct explore_options;
struct outcome;
struct stress_options;
struct stress_outcome;
struct workload_type;

// model
class fence;
class memory;
class mmap_lock;
class reservation;
class shrinker;

}  // namespace wedge
