// SPDX-License-Identifier: Apache-2.0
// Clocks, behind an interface for tests. Leases use a monotonic clock that also counts while the
// machine sleeps (CLOCK_BOOTTIME); dates for people use the wall clock.
#pragma once

#include <cstdint>
#include <string>

namespace remixer {

class Clock {
 public:
  virtual ~Clock() = default;
  // Seconds since boot, suspended time included. Comparable within one boot of one machine only.
  virtual double monotonic() const = 0;
  // Seconds since 1970-01-01 UTC.
  virtual double wall() const = 0;
};

// The machine's clocks. Thread-safe.
const Clock& system_clock();

// A wall-clock time as "2026-11-23T10:48:00Z".
std::string iso_time(double wall_seconds);

// A duration for people: "8 s", "12 min", "1 h 40 min", "3 d 2 h".
std::string duration_text(double seconds);

}  // namespace remixer
