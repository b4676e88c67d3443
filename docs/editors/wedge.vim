" Vim syntax of wedge scenarios (*.wedge). Copy it to ~/.vim/syntax/wedge.vim, and put
"   au BufNewFile,BufRead *.wedge setfiletype wedge
" into ~/.vim/filetype.vim. A test keeps the words equal to include/wedge/scenario/words.hpp.
if exists("b:current_syntax")
  finish
endif

syn keyword wedgeStatement lock read unlock downgrade try alloc free might reclaim scope set add
syn keyword wedgeStatement assert if while until yield progress break return repeat choose wait
syn keyword wedgeStatement notify join ww transaction invalidate signal signalling complete down
syn keyword wedgeStatement get put wake arm drop
syn keyword wedgeStatement up queue flush cancel hardirq softirq nmi irq bh preempt pin unpin
syn keyword wedgeStatement init sync
syn keyword wedgeDeclaration memory fence completion condition semaphore counter thread shrinker
syn keyword wedgeDeclaration notifier work handler order expect wait_queue refcount delayed_work
syn keyword wedgeDeclaration timer irq_work
syn keyword wedgeKind mutex recursive_mutex rtmutex rwsem rwlock qrwlock spinlock raw_spinlock
syn keyword wedgeKind local_lock seqcount seqlock ww_mutex map
syn keyword wedgeKind rw_semaphore percpu_rw_semaphore rcu srcu
syn keyword wedgeOutcome sound deadlock livelock finding unresolved
syn keyword wedgeFlag GFP_KERNEL GFP_NOFS GFP_NOIO GFP_NOWAIT GFP_ATOMIC NORETRY RETRY_MAYFAIL
syn keyword wedgeFlag NOFAIL NOLOCKDEP nofs noio noreclaim fs io
syn keyword wedgeWord begin done end off on class ordered unchecked pages min low high local self
syn keyword wedgeWord needs threaded recursive nest subclass timed else with slow wait_die all
syn keyword wedgeWord timeout held or exclusive interrupted cpu fifo

syn match wedgeNumber "\<-\?\d\+\>"
syn match wedgeCount "\<x\d\+\>"
syn match wedgeComment "#.*$"

hi def link wedgeStatement Statement
hi def link wedgeDeclaration Structure
hi def link wedgeKind Type
hi def link wedgeOutcome Todo
hi def link wedgeFlag Constant
hi def link wedgeWord Keyword
hi def link wedgeNumber Number
hi def link wedgeCount Number
hi def link wedgeComment Comment

let b:current_syntax = "wedge"
