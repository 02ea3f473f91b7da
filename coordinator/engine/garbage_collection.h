// SPDX-License-Identifier: Apache-2.0
// Garbage collection: finds files in the workspace that no result and no attempt needs.
#pragma once

#include <cstdint>
#include <optional>

#include "coordinator/engine/engine.h"
#include "experiments/protocol/order_answers.h"

namespace remixer::coordinator {

using experiments::protocol::answers::Collected;
using experiments::protocol::answers::Garbage;

struct CollectOptions {
  bool dry_run = false;          // only reports what it would free
  std::optional<int64_t> quota;  // frees until the workspace uses at most this many bytes
  bool unknown = false;          // also files that no database knows: only on explicit request
};

// Without a quota, deletes everything but kStuck, and kUnknown only if `unknown`; with one, in the
// order above and oldest first, no more than needed. Never touches running attempts, the
// checkpoints they resume from, or files that a committed result names (result_files()). Reads the
// disk in the caller's thread.
Collected collect_garbage(Engine& engine, const CollectOptions& options);

}  // namespace remixer::coordinator
