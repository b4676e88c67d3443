// Takes locks in ways that go-deadlock reports.
// usage: order abba|repaired|double|hang
package main

import (
	"os"
	"sync"
	"time"

	"github.com/sasha-s/go-deadlock"
)

var accounts, journal deadlock.Mutex
var table deadlock.RWMutex

func both(first, second sync.Locker) {
	first.Lock()
	second.Lock()
	second.Unlock()
	first.Unlock()
}
func transfer() {
	accounts.Lock()
	journal.Lock()
	journal.Unlock()
	accounts.Unlock()
}
func replay() {
	journal.Lock()
	accounts.Lock()
	accounts.Unlock()
	journal.Unlock()
}
func inGoroutine(work func()) {
	done := make(chan int)
	go func() { work(); close(done) }()
	<-done
}

func main() {
	deadlock.Opts.DeadlockTimeout = 500 * time.Millisecond
	deadlock.Opts.OnPotentialDeadlock = func() {}
	switch os.Args[1] {
	case "abba":
		inGoroutine(transfer)
		inGoroutine(replay)
	case "repaired":
		inGoroutine(transfer)
		inGoroutine(transfer)
	case "double":
		go func() { both(&accounts, &accounts) }()
		time.Sleep(200 * time.Millisecond)
	case "hang":
		var hold sync.WaitGroup
		hold.Add(2)
		take := func(first, second sync.Locker) {
			first.Lock()
			hold.Done()
			hold.Wait()
			second.Lock()
		}
		deadlock.Opts.DisableLockOrderDetection = true
		go func() { take(&accounts, &journal) }()
		go func() { take(&journal, &accounts) }()
		time.Sleep(1200 * time.Millisecond)
	case "read":
		go func() { table.RLock(); time.Sleep(2 * time.Second) }()
		time.Sleep(100 * time.Millisecond)
		go func() { table.Lock() }()
		time.Sleep(1200 * time.Millisecond)
	}
}
