// SPDX-License-Identifier: Apache-2.0
// The daemon's metrics in Prometheus's text format, version 0.0.4.
#pragma once

#include <string>

#include "base/json.h"
#include "coordinator/views/server_counts.h"

namespace remixer::coordinator {

// `status` is the answer of GET /status.
std::string prometheus_text(const Json& status, const ServerCounts& counts);

}  // namespace remixer::coordinator
