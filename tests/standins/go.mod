// Stand-ins for the programs of step 4 that no package registry carries: Fluent Bit, Alloy and Alloy's operator. They
// need nothing but Go's standard library.
module starform.io/testbed/standins

go 1.26.0

toolchain go1.26.8
