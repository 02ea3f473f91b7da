// SPDX-License-Identifier: Apache-2.0
// The reports that a daemon's dashboard shows.
#pragma once

#include <filesystem>

#include "coordinator/views/report_source.h"

namespace remixer::coordinator::command {

// Of the workspace's database. Tables are made when they are asked for; pictures, which take some
// seconds, in a thread of their own and once for each state of a grid's saliency tasks.
ReportSource dashboard_reports(const std::filesystem::path& workspace);

}  // namespace remixer::coordinator::command
