// Hangs for certain, so that jstack can be asked where.
// usage: java Hang.java monitor|lock|three|wait|repaired
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.locks.ReentrantLock;

public class Hang {
    static class Account {}
    static class Journal {}
    static class Cache {}
    static final Account account = new Account();
    static final Journal journal = new Journal();
    static final Cache cache = new Cache();
    static final ReentrantLock one = new ReentrantLock();
    static final ReentrantLock two = new ReentrantLock();
    static CountDownLatch hold;

    static void arrive() {
        hold.countDown();
        try { hold.await(); } catch (InterruptedException e) { throw new RuntimeException(e); }
    }
    static void both(Object first, Object second) {
        synchronized (first) {
            arrive();
            synchronized (second) { System.out.println("both"); }
        }
    }
    static void both(ReentrantLock first, ReentrantLock second) {
        first.lock();
        arrive();
        second.lock();
    }
    static void start(String name, Runnable work) { new Thread(work, name).start(); }

    public static void main(String[] words) {
        switch (words[0]) {
            case "monitor":
                hold = new CountDownLatch(2);
                start("transfer thread", () -> both(account, journal));
                start("replay", () -> both(journal, account));
                break;
            case "three":
                hold = new CountDownLatch(3);
                start("transfer", () -> both(account, journal));
                start("flush", () -> both(journal, cache));
                start("evict", () -> both(cache, account));
                break;
            case "lock":
                hold = new CountDownLatch(2);
                start("push", () -> both(one, two));
                start("pull", () -> both(two, one));
                break;
            case "wait":
                hold = new CountDownLatch(2);
                start("waiter", () -> {
                    synchronized (account) {
                        synchronized (journal) {
                            arrive();
                            try { journal.wait(); } catch (InterruptedException e) { }
                        }
                    }
                });
                start("notifier", () -> {
                    arrive();
                    synchronized (account) {
                        synchronized (journal) { journal.notifyAll(); }
                    }
                });
                break;
            case "repaired":
                hold = new CountDownLatch(3);
                start("transfer", () -> { synchronized (account) { arrive(); } });
                start("replay", () -> { synchronized (journal) { arrive(); } });
                break;
            default:
                System.exit(2);
        }
    }
}
