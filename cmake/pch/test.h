// SPDX-License-Identifier: Apache-2.0
// Precompiled for every test without LibTorch.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cmake/pch/plain.h"
