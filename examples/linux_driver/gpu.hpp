// A small GPU driver, written as for the kernel. GPU_BUG selects one of three mistakes; 0: none.
// The file is included once per mistake, into a namespace of its own, after wedge/linux.hpp.
//
//   1  gpu_submit copies the user's commands while it holds the reservations
//   2  gpu_run_job allocates with GFP_KERNEL on the way to signal its fence
//   3  gpu_reset waits for the job work while it holds the lock that the work takes

struct gpu_device {
    struct device base;
    struct drm_device drm;
    struct address_space mapping;

    struct mutex vram_lock; /* the two lists, vram_free, nr_evictable */
    struct list_head vram;  /* objects in VRAM, the coldest first */
    struct list_head system; /* objects in system memory: the shrinker's */
    unsigned long vram_free;
    atomic_t nr_evictable;
    struct shrinker shrinker;

    struct rw_semaphore reset_lock; /* held shared while a job uses the hardware */
    spinlock_t jobs_lock;
    struct list_head jobs;
    struct workqueue_struct *wq;
    struct work_struct job_work;
    struct delayed_work timeout_work;
    wait_queue_head_t idle;
    atomic_t nr_jobs;
    spinlock_t fence_lock;
    u64 fence_context;
    atomic64_t seqno;
};

struct gpu_bo {
    struct drm_gem_object base;
    struct gpu_device *gpu;
    struct list_head lru; /* in gpu->vram or gpu->system */
    bool in_vram;
    void *pages; /* the backing in system memory, under the reservation */
};

struct gpu_job {
    struct list_head link;
    struct dma_fence *fence;
    u32 command;
};

struct gpu_userptr {
    struct gpu_device *gpu;
    struct mmu_interval_notifier notifier;
    struct mutex lock; /* taken by the notifier: nothing is allocated under it */
    struct dma_fence *last;
};

static const unsigned long gpu_bo_bytes = 2 * PAGE_SIZE;

static struct gpu_bo *to_gpu_bo(struct drm_gem_object *obj)
{
    return container_of(obj, struct gpu_bo, base);
}

/* Buffer objects */

static void gpu_bo_free(struct drm_gem_object *obj)
{
    struct gpu_bo *bo = to_gpu_bo(obj);
    struct gpu_device *gpu = bo->gpu;

    mutex_lock(&gpu->vram_lock);
    list_del_init(&bo->lru);
    if (bo->in_vram)
        gpu->vram_free++;
    mutex_unlock(&gpu->vram_lock);
    kvfree(bo->pages);
    drm_gem_object_release(obj);
    kfree(bo);
}

static const struct drm_gem_object_funcs gpu_bo_funcs = {
    .free = gpu_bo_free,
};

static struct gpu_bo *gpu_bo_create(struct gpu_device *gpu)
{
    struct gpu_bo *bo;

    bo = kzalloc(sizeof(*bo), GFP_KERNEL);
    if (!bo)
        return ERR_PTR(-ENOMEM);
    INIT_LIST_HEAD(&bo->lru);
    bo->gpu = gpu;
    bo->base.funcs = &gpu_bo_funcs;
    drm_gem_private_object_init(&gpu->drm, &bo->base, gpu_bo_bytes);
    mutex_lock(&gpu->vram_lock);
    list_add_tail(&bo->lru, &gpu->system);
    mutex_unlock(&gpu->vram_lock);
    return bo;
}

/* Called with the object's reservation. */
static int gpu_bo_populate(struct gpu_bo *bo)
{
    dma_resv_assert_held(bo->base.resv);
    if (bo->pages)
        return 0;
    bo->pages = kvmalloc(gpu_bo_bytes, GFP_KERNEL);
    if (!bo->pages)
        return -ENOMEM;
    atomic_inc(&bo->gpu->nr_evictable);
    return 0;
}

/* Moves an object out of VRAM. Called with its reservation. */
static int gpu_bo_evict(struct gpu_bo *bo)
{
    struct gpu_device *gpu = bo->gpu;
    int ret;

    ret = gpu_bo_populate(bo);
    if (ret)
        return ret;
    unmap_mapping_range(&gpu->mapping, 0, 0, 1);
    if (dma_resv_wait_timeout(bo->base.resv, DMA_RESV_USAGE_BOOKKEEP, false,
                              MAX_SCHEDULE_TIMEOUT) <= 0)
        return -EBUSY;
    mutex_lock(&gpu->vram_lock);
    bo->in_vram = false;
    gpu->vram_free++;
    list_move_tail(&bo->lru, &gpu->system);
    mutex_unlock(&gpu->vram_lock);
    return 0;
}

/* Evicts the coldest object that nobody uses. */
static int gpu_vram_make_room(struct gpu_device *gpu)
{
    struct gpu_bo *bo, *victim = nullptr;
    int ret;

    mutex_lock(&gpu->vram_lock);
    list_for_each_entry(bo, &gpu->vram, lru) {
        if (!kref_get_unless_zero(&bo->base.refcount))
            continue;
        if (dma_resv_trylock(bo->base.resv)) {
            victim = bo;
            break;
        }
        /* Not the last reference: the list has the object, and its free takes vram_lock. */
        WARN_ON(!bo->base.refcount.get().put_not_last());
    }
    mutex_unlock(&gpu->vram_lock);
    if (!victim)
        return -ENOSPC;
    ret = gpu_bo_evict(victim);
    dma_resv_unlock(victim->base.resv);
    drm_gem_object_put(&victim->base);
    return ret;
}

/* Moves an object into VRAM, or has it used where it is. Called with its reservation. */
static int gpu_bo_validate(struct gpu_bo *bo)
{
    struct gpu_device *gpu = bo->gpu;
    bool has_room;
    int ret;

    for (;;) {
        mutex_lock(&gpu->vram_lock);
        has_room = bo->in_vram || gpu->vram_free != 0;
        if (has_room && !bo->in_vram) {
            gpu->vram_free--;
            bo->in_vram = true;
        }
        if (has_room)
            list_move_tail(&bo->lru, &gpu->vram);
        mutex_unlock(&gpu->vram_lock);
        if (has_room)
            return 0;
        ret = gpu_vram_make_room(gpu);
        if (ret == -ENOSPC)
            return gpu_bo_populate(bo);
        if (ret)
            return ret;
    }
}

/* Page faults */

static vm_fault_t gpu_bo_fault(struct vm_fault *vmf)
{
    struct gpu_bo *bo = static_cast<struct gpu_bo *>(vmf->vma->vm_private_data);
    vm_fault_t ret = VM_FAULT_NOPAGE;

    if (!dma_resv_trylock(bo->base.resv)) {
        if (fault_flag_allow_retry_first(vmf->flags)) {
            drm_gem_object_get(&bo->base);
            mmap_read_unlock(vmf->vma->vm_mm);
            if (!dma_resv_lock_interruptible(bo->base.resv, nullptr))
                dma_resv_unlock(bo->base.resv);
            drm_gem_object_put(&bo->base);
            return VM_FAULT_RETRY;
        }
        if (dma_resv_lock_interruptible(bo->base.resv, nullptr))
            return VM_FAULT_NOPAGE;
    }
    if (!bo->in_vram && gpu_bo_populate(bo))
        ret = VM_FAULT_OOM;
    dma_resv_unlock(bo->base.resv);
    return ret;
}

static const struct vm_operations_struct gpu_vm_ops = {
    .fault = gpu_bo_fault,
};

/* Reclaim */

static unsigned long gpu_shrink_count(struct shrinker *shrinker, struct shrink_control *)
{
    struct gpu_device *gpu = static_cast<struct gpu_device *>(shrinker->private_data);

    return static_cast<unsigned long>(atomic_read(&gpu->nr_evictable));
}

/* The reservation is only tried: the task that reclaims may hold it. */
static unsigned long gpu_shrink_scan(struct shrinker *shrinker, struct shrink_control *)
{
    struct gpu_device *gpu = static_cast<struct gpu_device *>(shrinker->private_data);
    struct gpu_bo *bo, *victim = nullptr;

    if (!mutex_trylock(&gpu->vram_lock))
        return SHRINK_STOP;
    list_for_each_entry(bo, &gpu->system, lru) {
        if (!bo->pages || !dma_resv_trylock(bo->base.resv))
            continue;
        victim = bo;
        break;
    }
    mutex_unlock(&gpu->vram_lock);
    if (!victim)
        return SHRINK_STOP;
    unmap_mapping_range(&gpu->mapping, 0, 0, 1);
    dma_resv_wait_timeout(victim->base.resv, DMA_RESV_USAGE_BOOKKEEP, false,
                          MAX_SCHEDULE_TIMEOUT);
    if (victim->pages) {
        kvfree(victim->pages);
        victim->pages = nullptr;
        atomic_dec(&gpu->nr_evictable);
    }
    dma_resv_unlock(victim->base.resv);
    return gpu_bo_bytes >> PAGE_SHIFT;
}

/* Jobs */

static struct gpu_job *gpu_next_job(struct gpu_device *gpu)
{
    struct gpu_job *job;
    unsigned long flags;

    spin_lock_irqsave(&gpu->jobs_lock, flags);
    job = list_first_entry_or_null(&gpu->jobs, struct gpu_job, link);
    if (job)
        list_del_init(&job->link);
    spin_unlock_irqrestore(&gpu->jobs_lock, flags);
    return job;
}

static void gpu_finish_job(struct gpu_device *gpu, struct gpu_job *job, int error)
{
    if (error)
        dma_fence_set_error(job->fence, error);
    dma_fence_signal(job->fence);
    dma_fence_put(job->fence);
    kfree(job);
    if (atomic_dec_and_test(&gpu->nr_jobs))
        wake_up_all(&gpu->idle);
}

static void gpu_run_job(struct gpu_device *, struct gpu_job *)
{
    void *log;

    /* Other tasks wait for the fence, so nothing here may wait for reclaim. */
#if GPU_BUG == 2
    log = kmalloc(4 * PAGE_SIZE, GFP_KERNEL);
#else
    log = kmalloc(4 * PAGE_SIZE, GFP_NOWAIT | __GFP_NOWARN);
#endif
    kfree(log);
}

static void gpu_job_work(struct work_struct *work)
{
    struct gpu_device *gpu = container_of(work, struct gpu_device, job_work);
    struct gpu_job *job;
    bool cookie;

    cookie = dma_fence_begin_signalling();
    down_read(&gpu->reset_lock);
    while ((job = gpu_next_job(gpu))) {
        gpu_run_job(gpu, job);
        gpu_finish_job(gpu, job, 0);
    }
    up_read(&gpu->reset_lock);
    dma_fence_end_signalling(cookie);
}

static int gpu_submit(struct gpu_device *gpu, struct gpu_bo **bos, unsigned count,
                      const u32 __user *commands)
{
    struct dma_fence *fence;
    struct drm_exec exec;
    struct gpu_job *job;
    unsigned long flags;
    unsigned i;
    int ret = 0;

    job = kzalloc(sizeof(*job), GFP_KERNEL);
    fence = kzalloc(sizeof(*fence), GFP_KERNEL);
    if (!job || !fence) {
        kfree(job);
        kfree(fence);
        return -ENOMEM;
    }
    INIT_LIST_HEAD(&job->link);
    dma_fence_init(fence, nullptr, &gpu->fence_lock, gpu->fence_context,
                   static_cast<u64>(atomic64_inc_return(&gpu->seqno)));
    job->fence = fence;
#if GPU_BUG != 1
    if (copy_from_user(&job->command, commands, sizeof(job->command))) {
        ret = -EFAULT;
        goto out_free;
    }
#endif
    drm_exec_init(&exec, 0, 0);
    drm_exec_until_all_locked(&exec) {
        for (i = 0; i < count && !ret; i++)
            ret = drm_exec_prepare_obj(&exec, &bos[i]->base, 1);
        if (ret == -EDEADLK)
            ret = 0;
        drm_exec_retry_on_contention(&exec);
        if (ret)
            goto out_unlock;
    }
#if GPU_BUG == 1
    if (copy_from_user(&job->command, commands, sizeof(job->command))) {
        ret = -EFAULT;
        goto out_unlock;
    }
#endif
    for (i = 0; i < count; i++) {
        ret = gpu_bo_validate(bos[i]);
        if (ret)
            goto out_unlock;
    }
    for (i = 0; i < count; i++)
        dma_resv_add_fence(bos[i]->base.resv, fence, DMA_RESV_USAGE_WRITE);
    atomic_inc(&gpu->nr_jobs);
    spin_lock_irqsave(&gpu->jobs_lock, flags);
    list_add_tail(&job->link, &gpu->jobs);
    spin_unlock_irqrestore(&gpu->jobs_lock, flags);
    queue_work(gpu->wq, &gpu->job_work);
    drm_exec_fini(&exec);
    return 0;

out_unlock:
    drm_exec_fini(&exec);
#if GPU_BUG != 1
out_free:
#endif
    dma_fence_put(fence);
    kfree(job);
    return ret;
}

/* User pages */

static bool gpu_userptr_invalidate(struct mmu_interval_notifier *mni,
                                   const struct mmu_notifier_range *range, unsigned long cur_seq)
{
    struct gpu_userptr *user = container_of(mni, struct gpu_userptr, notifier);

    if (!mmu_notifier_range_blockable(range))
        return false;
    mutex_lock(&user->lock);
    mmu_interval_set_seq(mni, cur_seq);
    if (user->last)
        dma_fence_wait(user->last, false);
    mutex_unlock(&user->lock);
    return true;
}

static const struct mmu_interval_notifier_ops gpu_userptr_ops = {
    .invalidate = gpu_userptr_invalidate,
};

/* Makes the pages present; under the lock they stay so. */
static int gpu_userptr_bind(struct gpu_userptr *user)
{
    struct page *page;
    unsigned long seq;

    for (;;) {
        seq = mmu_interval_read_begin(&user->notifier);
        mmap_read_lock(current->mm);
        if (pin_user_pages(0, 1, FOLL_WRITE, &page) < 0) {
            mmap_read_unlock(current->mm);
            return -ENOMEM;
        }
        mmap_read_unlock(current->mm);
        mutex_lock(&user->lock);
        if (!mmu_interval_read_retry(&user->notifier, seq))
            break;
        mutex_unlock(&user->lock);
        unpin_user_pages(&page, 1);
    }
    /* The hardware uses the pages here. */
    mutex_unlock(&user->lock);
    unpin_user_pages(&page, 1);
    return 0;
}

/* Power and recovery */

static int gpu_suspend(struct gpu_device *gpu)
{
    flush_work(&gpu->job_work);
    if (!wait_event_timeout(gpu->idle, atomic_read(&gpu->nr_jobs) == 0, HZ))
        return -EBUSY;
    return 0;
}

static void gpu_reset(struct gpu_device *gpu)
{
    struct gpu_job *job;

#if GPU_BUG == 3
    down_write(&gpu->reset_lock);
    cancel_work_sync(&gpu->job_work);
#else
    cancel_work_sync(&gpu->job_work);
    down_write(&gpu->reset_lock);
#endif
    while ((job = gpu_next_job(gpu)))
        gpu_finish_job(gpu, job, -ECANCELED);
    up_write(&gpu->reset_lock);
    queue_work(gpu->wq, &gpu->job_work);
}

static void gpu_timeout(struct work_struct *work)
{
    struct delayed_work *timeout = to_delayed_work(work);
    struct gpu_device *gpu = container_of(timeout, struct gpu_device, timeout_work);

    if (atomic_read(&gpu->nr_jobs))
        gpu_reset(gpu);
}

static struct gpu_device *gpu_probe(unsigned long vram)
{
    struct gpu_device *gpu;

    gpu = kzalloc(sizeof(*gpu), GFP_KERNEL);
    if (!gpu)
        return nullptr;
    mutex_init(&gpu->vram_lock);
    INIT_LIST_HEAD(&gpu->vram);
    INIT_LIST_HEAD(&gpu->system);
    gpu->vram_free = vram;
    init_rwsem(&gpu->reset_lock);
    spin_lock_init(&gpu->jobs_lock);
    INIT_LIST_HEAD(&gpu->jobs);
    init_waitqueue_head(&gpu->idle);
    spin_lock_init(&gpu->fence_lock);
    gpu->fence_context = dma_fence_context_alloc(1);
    gpu->wq = alloc_ordered_workqueue("gpu", WQ_MEM_RECLAIM);
    INIT_WORK(&gpu->job_work, gpu_job_work);
    INIT_DELAYED_WORK(&gpu->timeout_work, gpu_timeout);
    gpu->shrinker.count_objects = gpu_shrink_count;
    gpu->shrinker.scan_objects = gpu_shrink_scan;
    gpu->shrinker.private_data = gpu;
    register_shrinker(&gpu->shrinker, "gpu");
    return gpu;
}

static void gpu_remove(struct gpu_device *gpu)
{
    unregister_shrinker(&gpu->shrinker);
    cancel_delayed_work_sync(&gpu->timeout_work);
    destroy_workqueue(gpu->wq);
    kfree(gpu);
}
