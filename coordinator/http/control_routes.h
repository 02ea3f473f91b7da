// SPDX-License-Identifier: Apache-2.0
// Routes that change something: POST /grids/{id}/..., /tasks/{id}/... and /gc.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "coordinator/engine/engine.h"
#include "coordinator/http/message.h"

namespace remixer::coordinator {

// Handles a POST whose path has these parts; nothing if there is no such order. Throws as the
// engine does.
std::optional<HttpResponse> control(Engine& engine, const std::vector<std::string>& parts,
                                    const Json& body);

// True if control() handles the path.
bool is_control(const std::vector<std::string>& parts);

}  // namespace remixer::coordinator
