using Tollgate.Endpoints;

await EndpointsApi.Build(args).RunAsync();
