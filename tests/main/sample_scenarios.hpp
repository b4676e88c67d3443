// A deadlock and its repaired twin as scenarios.
#pragma once

inline constexpr const char* abba_text =
    "lock a mutex\nlock b mutex x2\n"
    "thread one {\n    lock a\n    lock b[1]\n    unlock b[1]\n    unlock a\n}\n"
    "thread two {\n    lock b[1]\n    lock a\n    unlock a\n    unlock b[1]\n}\n";
inline constexpr const char* ordered_text =
    "lock a mutex\nthread one x2 {\n    lock a\n    unlock a\n}\nexpect sound\n";
