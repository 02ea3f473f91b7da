// SPDX-License-Identifier: Apache-2.0
// Precompiled for every library without LibTorch: the slow headers that most of them include.
// Sources include what they use all the same.
#pragma once

#include <fmt/format.h>

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>
