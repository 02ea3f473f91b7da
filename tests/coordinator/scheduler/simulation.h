// SPDX-License-Identifier: Apache-2.0
// One history of the scheduler and of the workspace's files: garbage is collected, files are lost,
// results are sent again by later attempts, databases are lost and read back. Workers, a network
// that loses, doubles and reorders, clocks that jump, a disk that is slow, a daemon that crashes
// between any two of its effects. Everything comes from one seed.
#pragma once

#include <cstdint>
#include <string>

namespace remixer::coordinator::testing {

// What is taken out of the system, to see that the checks notice.
enum class Fault {
  kNone,
  kNoFence,
  kNoSync,
  kNoTransaction,
  kNoLease,
  kNewestAttemptOnly,  // garbage is what the newest attempt did not make, whatever results name
  kBlindResend         // a finished result is sent again without a look at its files
};

struct Outcome {
  std::string violation;  // empty where all promises held
  int64_t events = 0, tasks = 0, crashes = 0, attempts = 0;
};

// Runs the history of this seed and checks DESIGN's promises after each event:
//   an acknowledged submit, result or order is never lost;
//   at most one result of a task is committed, and it is the newest attempt's;
//   no two attempts of a task hold a valid lease at once, as their workers count it;
//   a stale worker changes nothing;
//   what a committed result names is in the workspace, unless it was lost there;
//   a result whose files were lost is made again once somebody asks;
//   what the daemon would load after a crash is what it has in memory;
//   in the end, with a healthy worker, everything that was not failed or cancelled is done.
// `trace`: says on standard error what happens.
Outcome simulate(uint64_t seed, Fault fault = Fault::kNone, bool trace = false);

}  // namespace remixer::coordinator::testing
