// User parameters on the fast path: plain names and values laid over a finished dict of arguments.
#pragma once

#include "objects.hpp"

#include <cstddef>
#include <string_view>

#include "launches.hpp"
#include "quantmap/deployment/constraints.hpp"

#ifndef Py_BEGIN_CRITICAL_SECTION
#define Py_BEGIN_CRITICAL_SECTION(object) {
#define Py_END_CRITICAL_SECTION() }
#endif

namespace quantmap::bindings {

// The characters of an ASCII str without a copy; empty for any other object.
[[nodiscard]] std::string_view ascii(PyObject* object);

// Lays plain parameters over the arguments; false when one of them needs the slow path, which then starts anew. In
// checked mode a parameter is plain when the release accepts it and no rule refuses what comes out.
[[nodiscard]] bool lay_over(PyObject* arguments, PyObject* parameters, std::size_t engine, const Deployment& deployment,
                            const Launch& launch);

}  // namespace quantmap::bindings
