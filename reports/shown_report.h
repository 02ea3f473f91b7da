// SPDX-License-Identifier: Apache-2.0
// A report as JSON for the dashboard, with the same texts as the other forms, so that a page only
// has to lay them out.
#pragma once

#include <vector>

#include "base/json.h"
#include "reports/report.h"

namespace remixer::reports {

// {"grid", "submits", "made_at", "tables": [...], "left_out": [...]}, the ShownReport of
// docs/openapi.json. For a figure without a value, "detail" says why.
Json shown_report(const Report& report);

// Table 4's: [{"name", "heading", "caption", "alt", "image": "data:image/png;base64,..."}].
Json shown_pictures(const std::vector<Picture>& pictures);

}  // namespace remixer::reports
