// SPDX-License-Identifier: Apache-2.0
// A report as the dashboard shows it: JSON whose texts are those of the other forms, so that a page
// only has to lay them out.
#pragma once

#include <vector>

#include "base/json.h"
#include "reports/report.h"

namespace remixer::reports {

// {"grid", "submits", "made_at", "tables": [...], "left_out": [...]}, as docs/openapi.json's
// ShownReport describes it. A figure without a value says in "detail" why.
Json shown_report(const Report& report);

// Table 4's: [{"name", "heading", "caption", "alt", "image": "data:image/png;base64,..."}].
Json shown_pictures(const std::vector<Picture>& pictures);

}  // namespace remixer::reports
