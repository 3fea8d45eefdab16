SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;
SET default_tablespace = '';
SET default_table_access_method = heap;
CREATE TABLE public.audit (
    seq bigint NOT NULL,
    at_ms bigint NOT NULL,
    actor_type text NOT NULL,
    actor_id text NOT NULL,
    actor_name text NOT NULL,
    action text NOT NULL,
    target_type text NOT NULL,
    target_id text NOT NULL,
    organization_id text,
    project_id text,
    environment text,
    before_json text,
    after_json text,
    reason text,
    address text,
    user_agent text,
    request_id text NOT NULL,
    prev_hash text NOT NULL,
    hash text NOT NULL
);
CREATE TABLE public.audit_head (
    id smallint NOT NULL,
    seq bigint NOT NULL,
    hash text NOT NULL
);
CREATE TABLE public.changes (
    seq bigint NOT NULL,
    kind text NOT NULL,
    target_no bigint NOT NULL,
    version bigint NOT NULL,
    at_ms bigint NOT NULL
);
CREATE TABLE public.counters (
    name text NOT NULL,
    value bigint NOT NULL
);
CREATE TABLE public.idempotency (
    id text NOT NULL,
    request_hash text NOT NULL,
    status bigint NOT NULL,
    holds_secret smallint NOT NULL,
    answer bytea,
    created_at_ms bigint NOT NULL
);
CREATE TABLE public.keys (
    key_no bigint NOT NULL,
    id text NOT NULL,
    project_no bigint NOT NULL,
    environment text NOT NULL,
    type text NOT NULL,
    name text NOT NULL,
    description text,
    permissions text NOT NULL,
    scopes text NOT NULL,
    rights text NOT NULL,
    allowed_addresses text NOT NULL,
    metadata text NOT NULL,
    expires_at_ms bigint,
    holds bigint NOT NULL,
    revoked_at_ms bigint,
    deleted_at_ms bigint,
    created_at_ms bigint NOT NULL,
    created_by text NOT NULL,
    row_version bigint NOT NULL
);
CREATE TABLE public.organizations (
    organization_no bigint NOT NULL,
    id text NOT NULL,
    name text NOT NULL,
    is_operator smallint NOT NULL,
    suspended_at_ms bigint,
    deleted_at_ms bigint,
    created_at_ms bigint NOT NULL,
    row_version bigint NOT NULL
);
CREATE TABLE public.projects (
    project_no bigint NOT NULL,
    id text NOT NULL,
    organization_no bigint NOT NULL,
    name text NOT NULL,
    deleted_at_ms bigint,
    created_at_ms bigint NOT NULL,
    row_version bigint NOT NULL
);
CREATE VIEW public.project_owners AS
 SELECT p.project_no,
    p.id AS project_id,
    o.id AS organization_id,
    o.organization_no,
        CASE
            WHEN ((p.deleted_at_ms IS NOT NULL) OR (o.deleted_at_ms IS NOT NULL)) THEN 2
            WHEN (o.suspended_at_ms IS NOT NULL) THEN 1
            ELSE 0
        END AS state,
    (p.row_version + o.row_version) AS version,
    o.is_operator
   FROM (public.projects p
     JOIN public.organizations o ON ((o.organization_no = p.organization_no)));
CREATE TABLE public.schema_migrations (
    number bigint NOT NULL,
    name text NOT NULL,
    checksum text NOT NULL,
    applied_at_ms bigint NOT NULL
);
CREATE TABLE public.secrets (
    key_no bigint NOT NULL,
    version bigint NOT NULL,
    hash bytea NOT NULL,
    mask text NOT NULL,
    sealed bytea,
    created_at_ms bigint NOT NULL,
    ends_at_ms bigint
);
CREATE TABLE public.settings (
    name text NOT NULL,
    value text NOT NULL
);
INSERT INTO public.audit VALUES (1, 1795691429798, 'system', 'system', 'system', 'root_key.set', 'root_key', 'root', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'none', '0000000000000000000000000000000000000000000000000000000000000000', '37079f66f305538a3343e93fa80b685170911b4b80036ed7558bf0fe76281b0e');
INSERT INTO public.audit VALUES (2, 1795691429798, 'system', 'system', 'system', 'organization.create', 'organization', 'org_rxBcbAJTQSeKtiQxArFkwI', 'org_rxBcbAJTQSeKtiQxArFkwI', NULL, NULL, NULL, '{"id":"org_rxBcbAJTQSeKtiQxArFkwI","name":"Operator","status":"active","created_at":"2026-11-26T11:10:29Z"}', NULL, NULL, NULL, 'none', '37079f66f305538a3343e93fa80b685170911b4b80036ed7558bf0fe76281b0e', 'dc8acfed7d30a6c28be4546d949918cd8029d169277434bcb90b9ac79754a53a');
INSERT INTO public.audit VALUES (3, 1795691429798, 'system', 'system', 'system', 'project.create', 'project', 'prj_tujGhkcMObzGewkwiJDvbK', 'org_rxBcbAJTQSeKtiQxArFkwI', 'prj_tujGhkcMObzGewkwiJDvbK', NULL, NULL, '{"id":"prj_tujGhkcMObzGewkwiJDvbK","organization_id":"org_rxBcbAJTQSeKtiQxArFkwI","name":"First project","status":"active","created_at":"2026-11-26T11:10:29Z"}', NULL, NULL, NULL, 'none', 'dc8acfed7d30a6c28be4546d949918cd8029d169277434bcb90b9ac79754a53a', 'a0e99ef1491a7808c18e9b4ee2dea2427c50a639938120d9ef532d19b0ddf76f');
INSERT INTO public.audit VALUES (4, 1795691430066, 'root', 'root', 'root key', 'key.create', 'key', 'key_niBHZ1INA0L01dpPbtZL9K', 'org_rxBcbAJTQSeKtiQxArFkwI', 'prj_tujGhkcMObzGewkwiJDvbK', 'live', NULL, '{"id":"key_niBHZ1INA0L01dpPbtZL9K","project_id":"prj_tujGhkcMObzGewkwiJDvbK","organization_id":"org_rxBcbAJTQSeKtiQxArFkwI","environment":"live","type":"standard","name":"active","description":null,"mask":"(imported)","status":"active","holds":[],"permissions":[],"scopes":["all"],"rights":[],"allowed_addresses":[],"metadata":{"team":"blue"},"created_at":"2026-11-26T11:10:30Z","created_by":"root","expires_at":null,"revoked_at":null,"deleted_at":null,"secrets":[{"mask":"(imported)","created_at":"2026-11-26T11:10:30Z","ends_at":null}]}', NULL, '127.0.0.1', NULL, 'req_rgkdnipd9q0000000003', 'a0e99ef1491a7808c18e9b4ee2dea2427c50a639938120d9ef532d19b0ddf76f', '384182f73107f4e86eb33cc48169a63e4e53954170764e17972aa65afe6d8b89');
INSERT INTO public.audit VALUES (5, 1795691430099, 'root', 'root', 'root key', 'key.create', 'key', 'key_zCfgJjCPcmQXbZF8EA15rG', 'org_rxBcbAJTQSeKtiQxArFkwI', 'prj_tujGhkcMObzGewkwiJDvbK', 'live', NULL, '{"id":"key_zCfgJjCPcmQXbZF8EA15rG","project_id":"prj_tujGhkcMObzGewkwiJDvbK","organization_id":"org_rxBcbAJTQSeKtiQxArFkwI","environment":"live","type":"standard","name":"manager","description":null,"mask":"(imported)","status":"active","holds":[],"permissions":[],"scopes":["all"],"rights":["keys:read","keys:manage","verify"],"allowed_addresses":[],"metadata":{},"created_at":"2026-11-26T11:10:30Z","created_by":"root","expires_at":null,"revoked_at":null,"deleted_at":null,"secrets":[{"mask":"(imported)","created_at":"2026-11-26T11:10:30Z","ends_at":null}]}', NULL, '127.0.0.1', NULL, 'req_rgkdnipd9q0000000004', '384182f73107f4e86eb33cc48169a63e4e53954170764e17972aa65afe6d8b89', '9e4e568fd69646ee71126d811f2975af18ec86608b4ed7ba7c3ab004e459531a');
INSERT INTO public.audit VALUES (6, 1795691430106, 'root', 'root', 'root key', 'key.create', 'key', 'key_51FpkonIr4AuNKCfuQ0B0g', 'org_rxBcbAJTQSeKtiQxArFkwI', 'prj_tujGhkcMObzGewkwiJDvbK', 'live', NULL, '{"id":"key_51FpkonIr4AuNKCfuQ0B0g","project_id":"prj_tujGhkcMObzGewkwiJDvbK","organization_id":"org_rxBcbAJTQSeKtiQxArFkwI","environment":"live","type":"standard","name":"narrow","description":null,"mask":"(imported)","status":"active","holds":[],"permissions":[],"scopes":["all"],"rights":[],"allowed_addresses":[],"metadata":{},"created_at":"2026-11-26T11:10:30Z","created_by":"root","expires_at":null,"revoked_at":null,"deleted_at":null,"secrets":[{"mask":"(imported)","created_at":"2026-11-26T11:10:30Z","ends_at":null}]}', NULL, '127.0.0.1', NULL, 'req_rgkdnipd9q0000000005', '9e4e568fd69646ee71126d811f2975af18ec86608b4ed7ba7c3ab004e459531a', '620548bc8eaf0282d37f704e317e56fc44ad3c3e3bf7b8342be1738cc75249f9');
INSERT INTO public.audit VALUES (7, 1795691430113, 'root', 'root', 'root key', 'key.change', 'key', 'key_51FpkonIr4AuNKCfuQ0B0g', 'org_rxBcbAJTQSeKtiQxArFkwI', 'prj_tujGhkcMObzGewkwiJDvbK', 'live', '{"id":"key_51FpkonIr4AuNKCfuQ0B0g","project_id":"prj_tujGhkcMObzGewkwiJDvbK","organization_id":"org_rxBcbAJTQSeKtiQxArFkwI","environment":"live","type":"standard","name":"narrow","description":null,"mask":"(imported)","status":"active","holds":[],"permissions":[],"scopes":["all"],"rights":[],"allowed_addresses":[],"metadata":{},"created_at":"2026-11-26T11:10:30Z","created_by":"root","expires_at":null,"revoked_at":null,"deleted_at":null,"secrets":[{"mask":"(imported)","created_at":"2026-11-26T11:10:30Z","ends_at":null}]}', '{"id":"key_51FpkonIr4AuNKCfuQ0B0g","project_id":"prj_tujGhkcMObzGewkwiJDvbK","organization_id":"org_rxBcbAJTQSeKtiQxArFkwI","environment":"live","type":"standard","name":"narrow","description":null,"mask":"(imported)","status":"active","holds":[],"permissions":[],"scopes":["models"],"rights":[],"allowed_addresses":["127.0.0.0/8","::1/128"],"metadata":{},"created_at":"2026-11-26T11:10:30Z","created_by":"root","expires_at":null,"revoked_at":null,"deleted_at":null,"secrets":[{"mask":"(imported)","created_at":"2026-11-26T11:10:30Z","ends_at":null}]}', NULL, '127.0.0.1', NULL, 'req_rgkdnipd9q0000000006', '620548bc8eaf0282d37f704e317e56fc44ad3c3e3bf7b8342be1738cc75249f9', '6f8e13b8c4452412b0034bb93ddb11d32f0d48bb7e2f93b82f84b5cb199e5705');
INSERT INTO public.audit VALUES (8, 1795691430132, 'root', 'root', 'root key', 'key.create', 'key', 'key_156PI3WM4eoue8GynmcEsT', 'org_rxBcbAJTQSeKtiQxArFkwI', 'prj_tujGhkcMObzGewkwiJDvbK', 'live', NULL, '{"id":"key_156PI3WM4eoue8GynmcEsT","project_id":"prj_tujGhkcMObzGewkwiJDvbK","organization_id":"org_rxBcbAJTQSeKtiQxArFkwI","environment":"live","type":"standard","name":"disabled","description":null,"mask":"(imported)","status":"active","holds":[],"permissions":[],"scopes":["all"],"rights":[],"allowed_addresses":[],"metadata":{},"created_at":"2026-11-26T11:10:30Z","created_by":"root","expires_at":null,"revoked_at":null,"deleted_at":null,"secrets":[{"mask":"(imported)","created_at":"2026-11-26T11:10:30Z","ends_at":null}]}', NULL, '127.0.0.1', NULL, 'req_rgkdnipd9q0000000007', '6f8e13b8c4452412b0034bb93ddb11d32f0d48bb7e2f93b82f84b5cb199e5705', '8acfc13b9235b71e56acdc8325d4f248bb73738459445d5f45b6f0cfe477147b');
INSERT INTO public.audit VALUES (9, 1795691430138, 'root', 'root', 'root key', 'key.disable', 'key', 'key_156PI3WM4eoue8GynmcEsT', 'org_rxBcbAJTQSeKtiQxArFkwI', 'prj_tujGhkcMObzGewkwiJDvbK', 'live', '{"id":"key_156PI3WM4eoue8GynmcEsT","project_id":"prj_tujGhkcMObzGewkwiJDvbK","organization_id":"org_rxBcbAJTQSeKtiQxArFkwI","environment":"live","type":"standard","name":"disabled","description":null,"mask":"(imported)","status":"active","holds":[],"permissions":[],"scopes":["all"],"rights":[],"allowed_addresses":[],"metadata":{},"created_at":"2026-11-26T11:10:30Z","created_by":"root","expires_at":null,"revoked_at":null,"deleted_at":null,"secrets":[{"mask":"(imported)","created_at":"2026-11-26T11:10:30Z","ends_at":null}]}', '{"id":"key_156PI3WM4eoue8GynmcEsT","project_id":"prj_tujGhkcMObzGewkwiJDvbK","organization_id":"org_rxBcbAJTQSeKtiQxArFkwI","environment":"live","type":"standard","name":"disabled","description":null,"mask":"(imported)","status":"disabled","holds":["person"],"permissions":[],"scopes":["all"],"rights":[],"allowed_addresses":[],"metadata":{},"created_at":"2026-11-26T11:10:30Z","created_by":"root","expires_at":null,"revoked_at":null,"deleted_at":null,"secrets":[{"mask":"(imported)","created_at":"2026-11-26T11:10:30Z","ends_at":null}]}', NULL, '127.0.0.1', NULL, 'req_rgkdnipd9q0000000008', '8acfc13b9235b71e56acdc8325d4f248bb73738459445d5f45b6f0cfe477147b', 'c3f9895e85ef0d6ae6f7baa25e6ca06e29d3d1993fcfeeb86d4350635e97a5d3');
INSERT INTO public.audit VALUES (26, 1795691430247, 'root', 'root', 'root key', 'organization.change', 'organization', 'org_EqkhG9r1YIhyDunFzVCv1h', 'org_EqkhG9r1YIhyDunFzVCv1h', NULL, NULL, '{"id":"org_EqkhG9r1YIhyDunFzVCv1h","name":"Customer","status":"active","created_at":"2026-11-26T11:10:30Z"}', '{"id":"org_EqkhG9r1YIhyDunFzVCv1h","name":"Customer","status":"suspended","created_at":"2026-11-26T11:10:30Z"}', NULL, '127.0.0.1', NULL, 'req_rgkdnipd9q0000000018', '3a733477247f3327b2efdf5f4b27daedba43da0ed4f61ac89cbc20bc8232dff9', '30110e4dabdd66d23983a18ea09aed1f61cac7843b6cdefcd1bd27e1e456981d');
INSERT INTO public.audit VALUES (10, 1795691430144, 'root', 'root', 'root key', 'key.create', 'key', 'key_n1e1ZltvOxAWnfMJZocDf9', 'org_rxBcbAJTQSeKtiQxArFkwI', 'prj_tujGhkcMObzGewkwiJDvbK', 'live', NULL, '{"id":"key_n1e1ZltvOxAWnfMJZocDf9","project_id":"prj_tujGhkcMObzGewkwiJDvbK","organization_id":"org_rxBcbAJTQSeKtiQxArFkwI","environment":"live","type":"standard","name":"revoked","description":null,"mask":"(imported)","status":"active","holds":[],"permissions":[],"scopes":["all"],"rights":[],"allowed_addresses":[],"metadata":{},"created_at":"2026-11-26T11:10:30Z","created_by":"root","expires_at":null,"revoked_at":null,"deleted_at":null,"secrets":[{"mask":"(imported)","created_at":"2026-11-26T11:10:30Z","ends_at":null}]}', NULL, '127.0.0.1', NULL, 'req_rgkdnipd9q0000000009', 'c3f9895e85ef0d6ae6f7baa25e6ca06e29d3d1993fcfeeb86d4350635e97a5d3', 'aa39f6242d508ae7b924ee7d328405f1911c2d6d25d4a22762e5539d98a15962');
INSERT INTO public.audit VALUES (11, 1795691430148, 'root', 'root', 'root key', 'key.revoke', 'key', 'key_n1e1ZltvOxAWnfMJZocDf9', 'org_rxBcbAJTQSeKtiQxArFkwI', 'prj_tujGhkcMObzGewkwiJDvbK', 'live', '{"id":"key_n1e1ZltvOxAWnfMJZocDf9","project_id":"prj_tujGhkcMObzGewkwiJDvbK","organization_id":"org_rxBcbAJTQSeKtiQxArFkwI","environment":"live","type":"standard","name":"revoked","description":null,"mask":"(imported)","status":"active","holds":[],"permissions":[],"scopes":["all"],"rights":[],"allowed_addresses":[],"metadata":{},"created_at":"2026-11-26T11:10:30Z","created_by":"root","expires_at":null,"revoked_at":null,"deleted_at":null,"secrets":[{"mask":"(imported)","created_at":"2026-11-26T11:10:30Z","ends_at":null}]}', '{"id":"key_n1e1ZltvOxAWnfMJZocDf9","project_id":"prj_tujGhkcMObzGewkwiJDvbK","organization_id":"org_rxBcbAJTQSeKtiQxArFkwI","environment":"live","type":"standard","name":"revoked","description":null,"mask":"(imported)","status":"revoked","holds":[],"permissions":[],"scopes":["all"],"rights":[],"allowed_addresses":[],"metadata":{},"created_at":"2026-11-26T11:10:30Z","created_by":"root","expires_at":null,"revoked_at":"2026-11-26T11:10:30Z","deleted_at":null,"secrets":[{"mask":"(imported)","created_at":"2026-11-26T11:10:30Z","ends_at":null}]}', NULL, '127.0.0.1', NULL, 'req_rgkdnipd9q000000000a', 'aa39f6242d508ae7b924ee7d328405f1911c2d6d25d4a22762e5539d98a15962', '7449f71066134038042ca5506aebd340bcd0c0f2b89fc0a963bbec1c74033396');
INSERT INTO public.audit VALUES (12, 1795691430153, 'root', 'root', 'root key', 'key.create', 'key', 'key_4K0HryiKo42NogbcDyvApZ', 'org_rxBcbAJTQSeKtiQxArFkwI', 'prj_tujGhkcMObzGewkwiJDvbK', 'live', NULL, '{"id":"key_4K0HryiKo42NogbcDyvApZ","project_id":"prj_tujGhkcMObzGewkwiJDvbK","organization_id":"org_rxBcbAJTQSeKtiQxArFkwI","environment":"live","type":"standard","name":"deleted","description":null,"mask":"(imported)","status":"active","holds":[],"permissions":[],"scopes":["all"],"rights":[],"allowed_addresses":[],"metadata":{},"created_at":"2026-11-26T11:10:30Z","created_by":"root","expires_at":null,"revoked_at":null,"deleted_at":null,"secrets":[{"mask":"(imported)","created_at":"2026-11-26T11:10:30Z","ends_at":null}]}', NULL, '127.0.0.1', NULL, 'req_rgkdnipd9q000000000b', '7449f71066134038042ca5506aebd340bcd0c0f2b89fc0a963bbec1c74033396', '08cf440d067f568937a3cc30fec9ec9b58643f849ee6acd78a2363f170079508');
INSERT INTO public.audit VALUES (13, 1795691430156, 'root', 'root', 'root key', 'key.delete', 'key', 'key_4K0HryiKo42NogbcDyvApZ', 'org_rxBcbAJTQSeKtiQxArFkwI', 'prj_tujGhkcMObzGewkwiJDvbK', 'live', '{"id":"key_4K0HryiKo42NogbcDyvApZ","project_id":"prj_tujGhkcMObzGewkwiJDvbK","organization_id":"org_rxBcbAJTQSeKtiQxArFkwI","environment":"live","type":"standard","name":"deleted","description":null,"mask":"(imported)","status":"active","holds":[],"permissions":[],"scopes":["all"],"rights":[],"allowed_addresses":[],"metadata":{},"created_at":"2026-11-26T11:10:30Z","created_by":"root","expires_at":null,"revoked_at":null,"deleted_at":null,"secrets":[{"mask":"(imported)","created_at":"2026-11-26T11:10:30Z","ends_at":null}]}', '{"id":"key_4K0HryiKo42NogbcDyvApZ","project_id":"prj_tujGhkcMObzGewkwiJDvbK","organization_id":"org_rxBcbAJTQSeKtiQxArFkwI","environment":"live","type":"standard","name":"deleted","description":null,"mask":"(imported)","status":"deleted","holds":[],"permissions":[],"scopes":["all"],"rights":[],"allowed_addresses":[],"metadata":{},"created_at":"2026-11-26T11:10:30Z","created_by":"root","expires_at":null,"revoked_at":null,"deleted_at":"2026-11-26T11:10:30Z","secrets":[{"mask":"(imported)","created_at":"2026-11-26T11:10:30Z","ends_at":null}]}', NULL, '127.0.0.1', NULL, 'req_rgkdnipd9q000000000c', '08cf440d067f568937a3cc30fec9ec9b58643f849ee6acd78a2363f170079508', '9bc4ffc75ce294bf4182f9f66fab0f494b38f9b84563e113a0ea50a1969c31b2');
INSERT INTO public.audit VALUES (14, 1795691430160, 'root', 'root', 'root key', 'key.create', 'key', 'key_TvkDmCZk5VITYeQaWbHgri', 'org_rxBcbAJTQSeKtiQxArFkwI', 'prj_tujGhkcMObzGewkwiJDvbK', 'live', NULL, '{"id":"key_TvkDmCZk5VITYeQaWbHgri","project_id":"prj_tujGhkcMObzGewkwiJDvbK","organization_id":"org_rxBcbAJTQSeKtiQxArFkwI","environment":"live","type":"standard","name":"rotating","description":null,"mask":"(imported)","status":"active","holds":[],"permissions":[],"scopes":["all"],"rights":[],"allowed_addresses":[],"metadata":{},"created_at":"2026-11-26T11:10:30Z","created_by":"root","expires_at":null,"revoked_at":null,"deleted_at":null,"secrets":[{"mask":"(imported)","created_at":"2026-11-26T11:10:30Z","ends_at":null}]}', NULL, '127.0.0.1', NULL, 'req_rgkdnipd9q000000000d', '9bc4ffc75ce294bf4182f9f66fab0f494b38f9b84563e113a0ea50a1969c31b2', '915d70b28b4d5fb152fe3038508fab38169ac53021c649f95f5c5008efa047df');
INSERT INTO public.audit VALUES (15, 1795691430169, 'root', 'root', 'root key', 'key.rotate', 'key', 'key_TvkDmCZk5VITYeQaWbHgri', 'org_rxBcbAJTQSeKtiQxArFkwI', 'prj_tujGhkcMObzGewkwiJDvbK', 'live', '{"id":"key_TvkDmCZk5VITYeQaWbHgri","project_id":"prj_tujGhkcMObzGewkwiJDvbK","organization_id":"org_rxBcbAJTQSeKtiQxArFkwI","environment":"live","type":"standard","name":"rotating","description":null,"mask":"(imported)","status":"active","holds":[],"permissions":[],"scopes":["all"],"rights":[],"allowed_addresses":[],"metadata":{},"created_at":"2026-11-26T11:10:30Z","created_by":"root","expires_at":null,"revoked_at":null,"deleted_at":null,"secrets":[{"mask":"(imported)","created_at":"2026-11-26T11:10:30Z","ends_at":null}]}', '{"id":"key_TvkDmCZk5VITYeQaWbHgri","project_id":"prj_tujGhkcMObzGewkwiJDvbK","organization_id":"org_rxBcbAJTQSeKtiQxArFkwI","environment":"live","type":"standard","name":"rotating","description":null,"mask":"tg_live_QP...R8p9","status":"active","holds":[],"permissions":[],"scopes":["all"],"rights":[],"allowed_addresses":[],"metadata":{},"created_at":"2026-11-26T11:10:30Z","created_by":"root","expires_at":null,"revoked_at":null,"deleted_at":null,"secrets":[{"mask":"tg_live_QP...R8p9","created_at":"2026-11-26T11:10:30Z","ends_at":null},{"mask":"(imported)","created_at":"2026-11-26T11:10:30Z","ends_at":"2026-11-27T11:10:30Z"}]}', NULL, '127.0.0.1', NULL, 'req_rgkdnipd9q000000000e', '915d70b28b4d5fb152fe3038508fab38169ac53021c649f95f5c5008efa047df', 'cf5ca39d6c4d4a02e6962b7c4ef44402cde0aff0b9a0b3a41f79615279ac324b');
INSERT INTO public.audit VALUES (16, 1795691430178, 'root', 'root', 'root key', 'key.create', 'key', 'key_T3LNi7pwumDIeiPMpgIQsT', 'org_rxBcbAJTQSeKtiQxArFkwI', 'prj_tujGhkcMObzGewkwiJDvbK', 'live', NULL, '{"id":"key_T3LNi7pwumDIeiPMpgIQsT","project_id":"prj_tujGhkcMObzGewkwiJDvbK","organization_id":"org_rxBcbAJTQSeKtiQxArFkwI","environment":"live","type":"standard","name":"replaced","description":null,"mask":"(imported)","status":"active","holds":[],"permissions":[],"scopes":["all"],"rights":[],"allowed_addresses":[],"metadata":{},"created_at":"2026-11-26T11:10:30Z","created_by":"root","expires_at":null,"revoked_at":null,"deleted_at":null,"secrets":[{"mask":"(imported)","created_at":"2026-11-26T11:10:30Z","ends_at":null}]}', NULL, '127.0.0.1', NULL, 'req_rgkdnipd9q000000000f', 'cf5ca39d6c4d4a02e6962b7c4ef44402cde0aff0b9a0b3a41f79615279ac324b', 'aaeeb57172ddefb03c48857cc1ac2e6ed8059c4e8c3eabf6f5dd052bac548394');
INSERT INTO public.audit VALUES (17, 1795691430181, 'root', 'root', 'root key', 'key.rotate', 'key', 'key_T3LNi7pwumDIeiPMpgIQsT', 'org_rxBcbAJTQSeKtiQxArFkwI', 'prj_tujGhkcMObzGewkwiJDvbK', 'live', '{"id":"key_T3LNi7pwumDIeiPMpgIQsT","project_id":"prj_tujGhkcMObzGewkwiJDvbK","organization_id":"org_rxBcbAJTQSeKtiQxArFkwI","environment":"live","type":"standard","name":"replaced","description":null,"mask":"(imported)","status":"active","holds":[],"permissions":[],"scopes":["all"],"rights":[],"allowed_addresses":[],"metadata":{},"created_at":"2026-11-26T11:10:30Z","created_by":"root","expires_at":null,"revoked_at":null,"deleted_at":null,"secrets":[{"mask":"(imported)","created_at":"2026-11-26T11:10:30Z","ends_at":null}]}', '{"id":"key_T3LNi7pwumDIeiPMpgIQsT","project_id":"prj_tujGhkcMObzGewkwiJDvbK","organization_id":"org_rxBcbAJTQSeKtiQxArFkwI","environment":"live","type":"standard","name":"replaced","description":null,"mask":"tg_live_7x...3OVc","status":"active","holds":[],"permissions":[],"scopes":["all"],"rights":[],"allowed_addresses":[],"metadata":{},"created_at":"2026-11-26T11:10:30Z","created_by":"root","expires_at":null,"revoked_at":null,"deleted_at":null,"secrets":[{"mask":"tg_live_7x...3OVc","created_at":"2026-11-26T11:10:30Z","ends_at":null},{"mask":"(imported)","created_at":"2026-11-26T11:10:30Z","ends_at":"2026-11-26T11:10:30Z"}]}', NULL, '127.0.0.1', NULL, 'req_rgkdnipd9q0000000010', 'aaeeb57172ddefb03c48857cc1ac2e6ed8059c4e8c3eabf6f5dd052bac548394', '376c63d2bfa7c69edd38a4a3d74791613d824f1ab56f450dd8b477999f0be655');
INSERT INTO public.audit VALUES (18, 1795691430186, 'root', 'root', 'root key', 'key.create', 'key', 'key_hT9dacuX7dlSqMeaCS0ulw', 'org_rxBcbAJTQSeKtiQxArFkwI', 'prj_tujGhkcMObzGewkwiJDvbK', 'live', NULL, '{"id":"key_hT9dacuX7dlSqMeaCS0ulw","project_id":"prj_tujGhkcMObzGewkwiJDvbK","organization_id":"org_rxBcbAJTQSeKtiQxArFkwI","environment":"live","type":"standard","name":"expired","description":null,"mask":"(imported)","status":"active","holds":[],"permissions":[],"scopes":["all"],"rights":[],"allowed_addresses":[],"metadata":{},"created_at":"2026-11-26T11:10:30Z","created_by":"root","expires_at":"2026-11-26T11:10:33Z","revoked_at":null,"deleted_at":null,"secrets":[{"mask":"(imported)","created_at":"2026-11-26T11:10:30Z","ends_at":null}]}', NULL, '127.0.0.1', NULL, 'req_rgkdnipd9q0000000011', '376c63d2bfa7c69edd38a4a3d74791613d824f1ab56f450dd8b477999f0be655', '65bae6bff3844d7ff4c07a4c13d71e835d13eb7cbefc100e4435e65eef87cd32');
INSERT INTO public.audit VALUES (19, 1795691430191, 'root', 'root', 'root key', 'organization.create', 'organization', 'org_EqkhG9r1YIhyDunFzVCv1h', 'org_EqkhG9r1YIhyDunFzVCv1h', NULL, NULL, NULL, '{"id":"org_EqkhG9r1YIhyDunFzVCv1h","name":"Customer","status":"active","created_at":"2026-11-26T11:10:30Z"}', NULL, '127.0.0.1', NULL, 'req_rgkdnipd9q0000000012', '65bae6bff3844d7ff4c07a4c13d71e835d13eb7cbefc100e4435e65eef87cd32', 'b411a37ff086288275e7e7c9ef0599dce3a4d15ca29a5dcdde6e664df2969f66');
INSERT INTO public.audit VALUES (20, 1795691430200, 'root', 'root', 'root key', 'project.create', 'project', 'prj_zsU7FRbxDvlguWxeyroH3K', 'org_EqkhG9r1YIhyDunFzVCv1h', 'prj_zsU7FRbxDvlguWxeyroH3K', NULL, NULL, '{"id":"prj_zsU7FRbxDvlguWxeyroH3K","organization_id":"org_EqkhG9r1YIhyDunFzVCv1h","name":"Closed","status":"active","created_at":"2026-11-26T11:10:30Z"}', NULL, '127.0.0.1', NULL, 'req_rgkdnipd9q0000000013', 'b411a37ff086288275e7e7c9ef0599dce3a4d15ca29a5dcdde6e664df2969f66', '2410ad43fdc6c76a26e40c06dcdaf9834771e68d7457396b659ac0ebd1e84730');
INSERT INTO public.audit VALUES (21, 1795691430207, 'root', 'root', 'root key', 'key.create', 'key', 'key_hGhQ2YisBdX6pHs5wiMMVz', 'org_EqkhG9r1YIhyDunFzVCv1h', 'prj_zsU7FRbxDvlguWxeyroH3K', 'live', NULL, '{"id":"key_hGhQ2YisBdX6pHs5wiMMVz","project_id":"prj_zsU7FRbxDvlguWxeyroH3K","organization_id":"org_EqkhG9r1YIhyDunFzVCv1h","environment":"live","type":"standard","name":"closed","description":null,"mask":"(imported)","status":"active","holds":[],"permissions":[],"scopes":["all"],"rights":[],"allowed_addresses":[],"metadata":{},"created_at":"2026-11-26T11:10:30Z","created_by":"root","expires_at":null,"revoked_at":null,"deleted_at":null,"secrets":[{"mask":"(imported)","created_at":"2026-11-26T11:10:30Z","ends_at":null}]}', NULL, '127.0.0.1', NULL, 'req_rgkdnipd9q0000000014', '2410ad43fdc6c76a26e40c06dcdaf9834771e68d7457396b659ac0ebd1e84730', '8cc8611c554e1c86a33ea003afbc05b6521bbc6a220d317fbfc7f334dbc13fa5');
INSERT INTO public.audit VALUES (22, 1795691430213, 'root', 'root', 'root key', 'project.delete', 'project', 'prj_zsU7FRbxDvlguWxeyroH3K', 'org_EqkhG9r1YIhyDunFzVCv1h', 'prj_zsU7FRbxDvlguWxeyroH3K', NULL, '{"id":"prj_zsU7FRbxDvlguWxeyroH3K","organization_id":"org_EqkhG9r1YIhyDunFzVCv1h","name":"Closed","status":"active","created_at":"2026-11-26T11:10:30Z"}', '{"id":"prj_zsU7FRbxDvlguWxeyroH3K","organization_id":"org_EqkhG9r1YIhyDunFzVCv1h","name":"Closed","status":"deleted","created_at":"2026-11-26T11:10:30Z"}', NULL, '127.0.0.1', NULL, 'req_rgkdnipd9q0000000015', '8cc8611c554e1c86a33ea003afbc05b6521bbc6a220d317fbfc7f334dbc13fa5', '8f68a942de9ce6cdd494ff7e13ea790bee4b2e18645338eece68784971b33361');
INSERT INTO public.audit VALUES (23, 1795691430213, 'root', 'root', 'root key', 'key.revoke', 'key', 'key_hGhQ2YisBdX6pHs5wiMMVz', 'org_EqkhG9r1YIhyDunFzVCv1h', 'prj_zsU7FRbxDvlguWxeyroH3K', 'live', '{"id":"key_hGhQ2YisBdX6pHs5wiMMVz","project_id":"prj_zsU7FRbxDvlguWxeyroH3K","organization_id":"org_EqkhG9r1YIhyDunFzVCv1h","environment":"live","type":"standard","name":"closed","description":null,"mask":"(imported)","status":"active","holds":[],"permissions":[],"scopes":["all"],"rights":[],"allowed_addresses":[],"metadata":{},"created_at":"2026-11-26T11:10:30Z","created_by":"root","expires_at":null,"revoked_at":null,"deleted_at":null,"secrets":[{"mask":"(imported)","created_at":"2026-11-26T11:10:30Z","ends_at":null}]}', '{"id":"key_hGhQ2YisBdX6pHs5wiMMVz","project_id":"prj_zsU7FRbxDvlguWxeyroH3K","organization_id":"org_EqkhG9r1YIhyDunFzVCv1h","environment":"live","type":"standard","name":"closed","description":null,"mask":"(imported)","status":"revoked","holds":[],"permissions":[],"scopes":["all"],"rights":[],"allowed_addresses":[],"metadata":{},"created_at":"2026-11-26T11:10:30Z","created_by":"root","expires_at":null,"revoked_at":"2026-11-26T11:10:30Z","deleted_at":null,"secrets":[{"mask":"(imported)","created_at":"2026-11-26T11:10:30Z","ends_at":null}]}', 'project deleted', '127.0.0.1', NULL, 'req_rgkdnipd9q0000000015', '8f68a942de9ce6cdd494ff7e13ea790bee4b2e18645338eece68784971b33361', 'dbffe5e3d12daa2ac837eebf4738603b938bdeba4e963647e186a2bc99963f4f');
INSERT INTO public.audit VALUES (24, 1795691430230, 'root', 'root', 'root key', 'project.create', 'project', 'prj_FcKAtpK6md0Wiq22hWKtRo', 'org_EqkhG9r1YIhyDunFzVCv1h', 'prj_FcKAtpK6md0Wiq22hWKtRo', NULL, NULL, '{"id":"prj_FcKAtpK6md0Wiq22hWKtRo","organization_id":"org_EqkhG9r1YIhyDunFzVCv1h","name":"Suspended","status":"active","created_at":"2026-11-26T11:10:30Z"}', NULL, '127.0.0.1', NULL, 'req_rgkdnipd9q0000000016', 'dbffe5e3d12daa2ac837eebf4738603b938bdeba4e963647e186a2bc99963f4f', '208f888728b42fcf9127bbff785c57b4cd0bf1cec7a64c5afe68f3ae23b4329e');
INSERT INTO public.audit VALUES (25, 1795691430238, 'root', 'root', 'root key', 'key.create', 'key', 'key_mxFxaiV5xS8cfs5bMRqNnq', 'org_EqkhG9r1YIhyDunFzVCv1h', 'prj_FcKAtpK6md0Wiq22hWKtRo', 'live', NULL, '{"id":"key_mxFxaiV5xS8cfs5bMRqNnq","project_id":"prj_FcKAtpK6md0Wiq22hWKtRo","organization_id":"org_EqkhG9r1YIhyDunFzVCv1h","environment":"live","type":"standard","name":"suspended","description":null,"mask":"(imported)","status":"active","holds":[],"permissions":[],"scopes":["all"],"rights":[],"allowed_addresses":[],"metadata":{},"created_at":"2026-11-26T11:10:30Z","created_by":"root","expires_at":null,"revoked_at":null,"deleted_at":null,"secrets":[{"mask":"(imported)","created_at":"2026-11-26T11:10:30Z","ends_at":null}]}', NULL, '127.0.0.1', NULL, 'req_rgkdnipd9q0000000017', '208f888728b42fcf9127bbff785c57b4cd0bf1cec7a64c5afe68f3ae23b4329e', '3a733477247f3327b2efdf5f4b27daedba43da0ed4f61ac89cbc20bc8232dff9');
INSERT INTO public.audit_head VALUES (1, 26, '30110e4dabdd66d23983a18ea09aed1f61cac7843b6cdefcd1bd27e1e456981d');
INSERT INTO public.changes VALUES (1, 'organization', 1, 1, 1795691429798);
INSERT INTO public.changes VALUES (2, 'project', 1, 1, 1795691429798);
INSERT INTO public.changes VALUES (3, 'key', 1, 1, 1795691430066);
INSERT INTO public.changes VALUES (4, 'key', 2, 1, 1795691430099);
INSERT INTO public.changes VALUES (5, 'key', 3, 1, 1795691430106);
INSERT INTO public.changes VALUES (6, 'key', 3, 2, 1795691430113);
INSERT INTO public.changes VALUES (7, 'key', 4, 1, 1795691430132);
INSERT INTO public.changes VALUES (8, 'key', 4, 2, 1795691430138);
INSERT INTO public.changes VALUES (9, 'key', 5, 1, 1795691430144);
INSERT INTO public.changes VALUES (10, 'key', 5, 2, 1795691430148);
INSERT INTO public.changes VALUES (11, 'key', 6, 1, 1795691430153);
INSERT INTO public.changes VALUES (12, 'key', 6, 2, 1795691430156);
INSERT INTO public.changes VALUES (13, 'key', 7, 1, 1795691430160);
INSERT INTO public.changes VALUES (14, 'key', 7, 2, 1795691430169);
INSERT INTO public.changes VALUES (15, 'key', 8, 1, 1795691430178);
INSERT INTO public.changes VALUES (16, 'key', 8, 2, 1795691430181);
INSERT INTO public.changes VALUES (17, 'key', 9, 1, 1795691430186);
INSERT INTO public.changes VALUES (18, 'organization', 2, 1, 1795691430191);
INSERT INTO public.changes VALUES (19, 'project', 2, 1, 1795691430200);
INSERT INTO public.changes VALUES (20, 'key', 10, 1, 1795691430207);
INSERT INTO public.changes VALUES (21, 'project', 2, 2, 1795691430213);
INSERT INTO public.changes VALUES (22, 'key', 10, 2, 1795691430213);
INSERT INTO public.changes VALUES (23, 'project', 3, 1, 1795691430230);
INSERT INTO public.changes VALUES (24, 'key', 11, 1, 1795691430238);
INSERT INTO public.changes VALUES (25, 'organization', 2, 2, 1795691430247);
INSERT INTO public.counters VALUES ('organization', 2);
INSERT INTO public.counters VALUES ('project', 3);
INSERT INTO public.counters VALUES ('key', 11);
INSERT INTO public.counters VALUES ('changes', 25);
INSERT INTO public.keys VALUES (1, 'key_niBHZ1INA0L01dpPbtZL9K', 1, 'live', 'standard', 'active', NULL, '[]', '["all"]', '[]', '[]', '{"team": "blue"}', NULL, 0, NULL, NULL, 1795691430066, 'root', 1);
INSERT INTO public.keys VALUES (2, 'key_zCfgJjCPcmQXbZF8EA15rG', 1, 'live', 'standard', 'manager', NULL, '[]', '["all"]', '["keys:read","keys:manage","verify"]', '[]', '{}', NULL, 0, NULL, NULL, 1795691430099, 'root', 1);
INSERT INTO public.keys VALUES (3, 'key_51FpkonIr4AuNKCfuQ0B0g', 1, 'live', 'standard', 'narrow', NULL, '[]', '["models"]', '[]', '["127.0.0.0/8","::1/128"]', '{}', NULL, 0, NULL, NULL, 1795691430106, 'root', 2);
INSERT INTO public.keys VALUES (4, 'key_156PI3WM4eoue8GynmcEsT', 1, 'live', 'standard', 'disabled', NULL, '[]', '["all"]', '[]', '[]', '{}', NULL, 1, NULL, NULL, 1795691430132, 'root', 2);
INSERT INTO public.keys VALUES (5, 'key_n1e1ZltvOxAWnfMJZocDf9', 1, 'live', 'standard', 'revoked', NULL, '[]', '["all"]', '[]', '[]', '{}', NULL, 0, 1795691430148, NULL, 1795691430144, 'root', 2);
INSERT INTO public.keys VALUES (6, 'key_4K0HryiKo42NogbcDyvApZ', 1, 'live', 'standard', 'deleted', NULL, '[]', '["all"]', '[]', '[]', '{}', NULL, 0, NULL, 1795691430156, 1795691430153, 'root', 2);
INSERT INTO public.keys VALUES (7, 'key_TvkDmCZk5VITYeQaWbHgri', 1, 'live', 'standard', 'rotating', NULL, '[]', '["all"]', '[]', '[]', '{}', NULL, 0, NULL, NULL, 1795691430160, 'root', 2);
INSERT INTO public.keys VALUES (8, 'key_T3LNi7pwumDIeiPMpgIQsT', 1, 'live', 'standard', 'replaced', NULL, '[]', '["all"]', '[]', '[]', '{}', NULL, 0, NULL, NULL, 1795691430178, 'root', 2);
INSERT INTO public.keys VALUES (9, 'key_hT9dacuX7dlSqMeaCS0ulw', 1, 'live', 'standard', 'expired', NULL, '[]', '["all"]', '[]', '[]', '{}', 1795691433000, 0, NULL, NULL, 1795691430186, 'root', 1);
INSERT INTO public.keys VALUES (10, 'key_hGhQ2YisBdX6pHs5wiMMVz', 2, 'live', 'standard', 'closed', NULL, '[]', '["all"]', '[]', '[]', '{}', NULL, 0, 1795691430213, NULL, 1795691430207, 'root', 2);
INSERT INTO public.keys VALUES (11, 'key_mxFxaiV5xS8cfs5bMRqNnq', 3, 'live', 'standard', 'suspended', NULL, '[]', '["all"]', '[]', '[]', '{}', NULL, 0, NULL, NULL, 1795691430238, 'root', 1);
INSERT INTO public.organizations VALUES (1, 'org_rxBcbAJTQSeKtiQxArFkwI', 'Operator', 1, NULL, NULL, 1795691429798, 1);
INSERT INTO public.organizations VALUES (2, 'org_EqkhG9r1YIhyDunFzVCv1h', 'Customer', 0, 1795691430247, NULL, 1795691430191, 2);
INSERT INTO public.projects VALUES (1, 'prj_tujGhkcMObzGewkwiJDvbK', 1, 'First project', NULL, 1795691429798, 1);
INSERT INTO public.projects VALUES (2, 'prj_zsU7FRbxDvlguWxeyroH3K', 2, 'Closed', 1795691430213, 1795691430200, 2);
INSERT INTO public.projects VALUES (3, 'prj_FcKAtpK6md0Wiq22hWKtRo', 2, 'Suspended', NULL, 1795691430230, 1);
INSERT INTO public.schema_migrations VALUES (1, 'storage', '229cfa7ae78c7fa449c35bc96e80147b9696b886c687d7034b696dc96d025536', 1795691429681);
INSERT INTO public.schema_migrations VALUES (2, 'audit', '01c83775e63bc0f57bdfd10b34d107971cc532b89dbcfcac409850fbe826c468', 1795691429706);
INSERT INTO public.schema_migrations VALUES (3, 'mutations', 'dec9366e9b9666aafa966936d10e2842f2cabdfeac9417cb0d2bbb0c2f6269cf', 1795691429711);
INSERT INTO public.schema_migrations VALUES (4, 'organizations', '3d2fd43a18e2fea4fc9365dd48c8f98570999b42f751471105caf3ee790245ff', 1795691429714);
INSERT INTO public.schema_migrations VALUES (5, 'keys', '90ccd8c3bca226665089035324075119284fe54f3ebf14f3584ba925e8f5b60e', 1795691429718);
INSERT INTO public.secrets VALUES (1, 1, '\xbf8bbf5e5d68026a127940f99a89f0ab6db5a53701b4a347172836b249dbacf7', '(imported)', NULL, 1795691430066, NULL);
INSERT INTO public.secrets VALUES (2, 1, '\x3882941199762c9feca872c8d7390beb8442cf46e9b5209f04cab79fa8ffd451', '(imported)', NULL, 1795691430099, NULL);
INSERT INTO public.secrets VALUES (3, 1, '\xefa8f35ca9347290d12d09bfa1b3914538a0f872bb36d1e81be62c607434488c', '(imported)', NULL, 1795691430106, NULL);
INSERT INTO public.secrets VALUES (4, 1, '\xca57a75e39bc7a828bec2675f2ca953d6a8ed6f56ad80e34e55f36f0dde71048', '(imported)', NULL, 1795691430132, NULL);
INSERT INTO public.secrets VALUES (5, 1, '\x2bfd76ae4381f4f85c1ea7547d52780dbc01b4e25d9650883bcf215098a8968e', '(imported)', NULL, 1795691430144, NULL);
INSERT INTO public.secrets VALUES (6, 1, '\x1207f976dffcd8a01bb8ab00d9bc088ba588b6c55885f810d55e81df46e5af0a', '(imported)', NULL, 1795691430153, NULL);
INSERT INTO public.secrets VALUES (7, 2, '\x5592acc19ac78fbb0dba028ca7e665496d0cc05fb35eb47d429927ed00da5695', 'tg_live_QP...R8p9', NULL, 1795691430169, NULL);
INSERT INTO public.secrets VALUES (8, 1, '\xc211cae6d6200712a1ebe32370ede01a0e9b817280485686bad173a56b3917c4', '(imported)', NULL, 1795691430178, 1795691430181);
INSERT INTO public.secrets VALUES (8, 2, '\x625abe3f8c7bb2358507675a32421d8bc9925c6193a00839fb673af107c047e4', 'tg_live_7x...3OVc', NULL, 1795691430181, NULL);
INSERT INTO public.secrets VALUES (9, 1, '\xcd9ec90920efc9a7fc5faecae1ac723f5f0dfe0a13f7014dfa8298d5339b3c75', '(imported)', NULL, 1795691430186, NULL);
INSERT INTO public.secrets VALUES (10, 1, '\x1cba87075e67d47d24b0bf24453e2ebe492ead0b3edbc4e9d0aa33e5b360484f', '(imported)', NULL, 1795691430207, NULL);
INSERT INTO public.secrets VALUES (11, 1, '\xf6cfcbfe0b4b1f05b03aaa31ad3b0c3b64236a89f373281749dd8812e9e626e5', '(imported)', NULL, 1795691430238, NULL);
INSERT INTO public.secrets VALUES (7, 1, '\x469495297a615e10cdbbc8c8d750b83f5b17fe0bf2f4244091b38433370b7be0', '(imported)', NULL, 1795691430160, 4102444800000);
INSERT INTO public.settings VALUES ('pepper_check', '1:tK6ZeMy/J71/YLPgXQ0nTEl2+PcCmIyd61n7zTK8Zmc=');
INSERT INTO public.settings VALUES ('root_key', '59E0C312C2D42C3F11B868249694ECCC703FC41EBABEA3230AE970E53B424A96');
INSERT INTO public.settings VALUES ('provider', 'default');
ALTER TABLE ONLY public.audit_head
    ADD CONSTRAINT audit_head_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.audit
    ADD CONSTRAINT audit_pkey PRIMARY KEY (seq);
ALTER TABLE ONLY public.changes
    ADD CONSTRAINT changes_pkey PRIMARY KEY (seq);
ALTER TABLE ONLY public.counters
    ADD CONSTRAINT counters_pkey PRIMARY KEY (name);
ALTER TABLE ONLY public.idempotency
    ADD CONSTRAINT idempotency_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.keys
    ADD CONSTRAINT keys_id_key UNIQUE (id);
ALTER TABLE ONLY public.keys
    ADD CONSTRAINT keys_pkey PRIMARY KEY (key_no);
ALTER TABLE ONLY public.organizations
    ADD CONSTRAINT organizations_id_key UNIQUE (id);
ALTER TABLE ONLY public.organizations
    ADD CONSTRAINT organizations_pkey PRIMARY KEY (organization_no);
ALTER TABLE ONLY public.projects
    ADD CONSTRAINT projects_id_key UNIQUE (id);
ALTER TABLE ONLY public.projects
    ADD CONSTRAINT projects_pkey PRIMARY KEY (project_no);
ALTER TABLE ONLY public.schema_migrations
    ADD CONSTRAINT schema_migrations_pkey PRIMARY KEY (number);
ALTER TABLE ONLY public.secrets
    ADD CONSTRAINT secrets_hash_key UNIQUE (hash);
ALTER TABLE ONLY public.secrets
    ADD CONSTRAINT secrets_pkey PRIMARY KEY (key_no, version);
ALTER TABLE ONLY public.settings
    ADD CONSTRAINT settings_pkey PRIMARY KEY (name);
CREATE INDEX audit_by_organization ON public.audit USING btree (organization_id, seq);
CREATE INDEX audit_by_project ON public.audit USING btree (project_id, seq);
CREATE INDEX audit_by_target ON public.audit USING btree (target_id, seq);
CREATE INDEX idempotency_by_age ON public.idempotency USING btree (created_at_ms);
CREATE INDEX idempotency_secrets ON public.idempotency USING btree (created_at_ms) WHERE ((holds_secret = 1) AND (answer IS NOT NULL));
CREATE INDEX keys_by_project ON public.keys USING btree (project_no, key_no);
CREATE INDEX projects_by_organization ON public.projects USING btree (organization_no, project_no);
ALTER TABLE ONLY public.keys
    ADD CONSTRAINT keys_project_no_fkey FOREIGN KEY (project_no) REFERENCES public.projects(project_no);
ALTER TABLE ONLY public.projects
    ADD CONSTRAINT projects_organization_no_fkey FOREIGN KEY (organization_no) REFERENCES public.organizations(organization_no);
ALTER TABLE ONLY public.secrets
    ADD CONSTRAINT secrets_key_no_fkey FOREIGN KEY (key_no) REFERENCES public.keys(key_no);
