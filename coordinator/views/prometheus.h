// SPDX-License-Identifier: Apache-2.0
// The daemon's metrics in Prometheus's text format, version 0.0.4.
#pragma once

#include <string>

#include "coordinator/views/server_counts.h"
#include "experiments/protocol/answers.h"

namespace remixer::coordinator {

std::string prometheus_text(const experiments::protocol::answers::Status& status,
                            const ServerCounts& counts);

}  // namespace remixer::coordinator
