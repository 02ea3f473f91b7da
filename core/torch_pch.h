// SPDX-License-Identifier: Apache-2.0
// Precompiled for every target that links LibTorch. Narrow on purpose: ATen's tensors and
// functions, not <torch/torch.h>. Sources include what they use all the same.
#pragma once

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>
