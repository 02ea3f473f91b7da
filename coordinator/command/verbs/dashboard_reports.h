// SPDX-License-Identifier: Apache-2.0
// Provides the reports that a daemon's dashboard shows.
#pragma once

#include <filesystem>

#include "coordinator/views/report_source.h"

namespace remixer::coordinator::command {

// Reads the workspace's database. Tables are made on request; pictures, which take some seconds, on
// a separate thread and once for each state of a grid's saliency tasks.
ReportSource dashboard_reports(const std::filesystem::path& workspace);

}  // namespace remixer::coordinator::command
